import { assert } from "../assert.ts";
import type { LogIndex } from "../types.ts";

/**
 * Appends on their way to one follower, as a ring of (last index, bytes). Full by number or by bytes; the message that crosses
 * the limit of bytes still counts as fitting, so that one larger than the window can be sent.
 */
export class InflightWindow {
  private readonly messagesMax: number;
  private readonly bytesMax: number;
  private readonly lastIndexes: Float64Array;
  private readonly sizes: Float64Array;
  private start = 0;
  private messages = 0;
  private bytes = 0;

  constructor(messagesMax: number, bytesMax: number) {
    this.messagesMax = messagesMax;
    this.bytesMax = bytesMax;
    this.lastIndexes = new Float64Array(messagesMax);
    this.sizes = new Float64Array(messagesMax);
  }

  get count(): number {
    return this.messages;
  }

  get isFull(): boolean {
    return this.messages === this.messagesMax || this.bytes >= this.bytesMax;
  }

  add(lastIndex: LogIndex, bytes: number): void {
    assert(!this.isFull, "Nothing is sent into a full window");
    const place = (this.start + this.messages) % this.messagesMax;
    this.lastIndexes[place] = lastIndex;
    this.sizes[place] = bytes;
    this.messages++;
    this.bytes += bytes;
  }

  /** Everything up to `index` has arrived. */
  release(index: LogIndex): void {
    while (this.messages > 0 && (this.lastIndexes[this.start] ?? 0) <= index) {
      this.bytes -= this.sizes[this.start] ?? 0;
      this.start = (this.start + 1) % this.messagesMax;
      this.messages--;
    }
    assert(this.messages > 0 || this.bytes === 0, "An empty window holds no bytes");
  }

  clear(): void {
    this.start = 0;
    this.messages = 0;
    this.bytes = 0;
  }
}
