import { assert } from "../assert.ts";
import type { LogIndex } from "../types.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";

/** A power of two, as every capacity of the ring. */
const CAPACITY_START = 8;

/**
 * Appends on their way to one follower (dissertation 10.2.1), as a ring of (last index, bytes) that grows with what is in it. Full by
 * number or by bytes; the message that crosses the limit of bytes still counts as fitting, so that one larger than the window can be
 * sent.
 *
 * ```text
 *   lastIndexes  [ 9 12  .  .  .  3  5  8 ]
 *   sizes        [ 2  4  .  .  .  1  7  1 ]
 *                         ^        ^
 *                   newest + 1   oldest
 * ```
 */
export class InflightWindow {
  private readonly messagesMax: number;
  private readonly bytesMax: number;
  private readonly adaptiveLimit: AdaptiveLimit | null;
  private lastIndexes = new Float64Array(CAPACITY_START);
  private sizes = new Float64Array(CAPACITY_START);
  private oldest = 0;
  private messages = 0;
  private bytesHeld = 0;

  /** `adaptive`: the number of messages follows what the link can take, up to `messagesMax`. */
  constructor(messagesMax: number, bytesMax: number, adaptive = false) {
    this.messagesMax = messagesMax;
    this.bytesMax = bytesMax;
    this.adaptiveLimit = adaptive ? new AdaptiveLimit(messagesMax, bytesMax) : null;
  }

  get count(): number {
    return this.messages;
  }

  get bytes(): number {
    return this.bytesHeld;
  }

  get isFull(): boolean {
    return this.isFullByNumber || this.bytesHeld >= this.bytesMax;
  }

  add(lastIndex: LogIndex, bytes: number): void {
    assert(!this.isFull, "Nothing is sent into a full window");
    assert(this.messages === 0 || lastIndex > this.at(this.lastIndexes, this.messages - 1), "Appends leave in the order of the log");
    if (this.messages === this.lastIndexes.length) this.grow();
    const place = this.placeOf(this.messages);
    this.lastIndexes[place] = lastIndex;
    this.sizes[place] = bytes;
    this.messages++;
    this.bytesHeld += bytes;
  }

  /** Everything up to `index` has arrived. */
  release(index: LogIndex): void {
    while (this.messages > 0 && this.at(this.lastIndexes, 0) <= index) {
      const bytes = this.at(this.sizes, 0);
      this.bytesHeld -= bytes;
      this.oldest = this.placeOf(1);
      this.messages--;
      this.adaptiveLimit?.released(bytes);
    }
    assert(this.messages > 0 || this.bytesHeld === 0, "An empty window holds no bytes");
  }

  /** The window is full, and the next append could carry this many bytes. A window that is full by bytes needs no more messages. */
  blocked(waitingBytes: number): void {
    if (this.isFullByNumber && this.bytesHeld < this.bytesMax) this.adaptiveLimit?.blocked(waitingBytes);
  }

  /** Nothing more is heard of what is on its way. */
  clear(): void {
    this.oldest = 0;
    this.messages = 0;
    this.bytesHeld = 0;
    this.adaptiveLimit?.restartRound();
  }

  private get isFullByNumber(): boolean {
    return this.messages >= (this.adaptiveLimit?.current ?? this.messagesMax);
  }

  /** `position` counts from the oldest. */
  private at(ring: Float64Array, position: number): number {
    return ring[this.placeOf(position)] ?? 0;
  }

  private placeOf(position: number): number {
    return (this.oldest + position) & (this.lastIndexes.length - 1);
  }

  private grow(): void {
    this.lastIndexes = this.unrolled(this.lastIndexes);
    this.sizes = this.unrolled(this.sizes);
    this.oldest = 0;
  }

  /** Twice as long, the oldest first. */
  private unrolled(ring: Float64Array): Float64Array<ArrayBuffer> {
    const wider = new Float64Array(2 * ring.length);
    wider.set(ring.subarray(this.oldest));
    wider.set(ring.subarray(0, this.oldest), ring.length - this.oldest);
    return wider;
  }
}
