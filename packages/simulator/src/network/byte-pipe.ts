import type { SimulatedEvent } from "../timeline/event-queue.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { Fifo } from "./fifo.ts";
import type { Link } from "./link.ts";

/** What travels: bytes, the first sign of life after the handshake, the end of the stream, or a reset. */
export type Segment = Uint8Array | "opened" | "end" | "reset";

/** What the kernels of both ends hold for one direction: sent and not known to be read. */
const windowBytes = 262_144;
/** `write` asks to stop when so much waits outside the window. */
const highWaterBytes = 65_536;
/** A sender that ignores `false` from `write` for so long is broken. */
const unsentBytesMax = 268_435_456;
const segmentBytesMax = 65_536;
/** Nothing was acknowledged for so long over a dead link: the sender's kernel gives up (Linux: tcp_retries2, about 15 minutes). */
const unansweredUsMax = 900_000_000;

/**
 * One direction of a connection. Nothing is lost or reordered; what a cut link holds arrives after it has healed.
 *
 *     write ─► unsent ──(window)──► on the link, in order ──► onArrival       read() frees the window, if the way back carries
 *        └ false above the mark          └ held while the link is cut
 */
export class BytePipe {
  onArrival: (segment: Segment) => void = () => {};
  /** Everything written is on the link, after `write` had returned false. */
  onDrain: () => void = () => {};
  /** The end of the stream is on the link. */
  onEndSent: () => void = () => {};
  /** The other end has not answered for too long. */
  onGiveUp: () => void = () => {};
  /** The link resets the connection. */
  onReset: () => void = () => {};
  readonly #timeline: Timeline;
  readonly #link: Link;
  readonly #back: Link;
  readonly #unsent = new Fifo<Uint8Array>();
  readonly #onLink = new Fifo<Segment>();
  #unsentBytes = 0;
  #windowUsedBytes = 0;
  #unacknowledgedBytes = 0;
  #heldCount = 0;
  #lastArrivalUs = 0;
  #wantsDrain = false;
  #isWindowEventWaiting = false;
  #end: "open" | "queued" | "sent" = "open";
  #giveUp: SimulatedEvent | null = null;

  constructor(timeline: Timeline, link: Link, back: Link) {
    this.#timeline = timeline;
    this.#link = link;
    this.#back = back;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#end !== "open") return true;
    if (bytes.length > 0) {
      this.#unsent.push(bytes);
      this.#unsentBytes += bytes.length;
      if (this.#unsentBytes > unsentBytesMax) throw new Error(`More than ${unsentBytesMax} bytes were written and could not leave`);
      this.#pump();
    }
    if (this.#unsentBytes < highWaterBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  open(): void {
    this.#travel("opened");
  }

  /** The stream ends after what was written. */
  end(): void {
    if (this.#end !== "open") return;
    this.#end = "queued";
    this.#pump();
  }

  /** What has not left is dropped, then the stream ends or is reset. */
  abort(last: "end" | "reset"): void {
    this.#dropUnsent();
    if (this.#end === "sent" && last === "end") return;
    this.#end = "sent";
    this.#travel(last);
  }

  /** The sender is gone without a word; what is on the link still arrives. */
  close(): void {
    this.#dropUnsent();
    this.#end = "sent";
  }

  /** The sender's machine lost power or gave up: nothing of this arrives any more. */
  vanish(): void {
    this.close();
    this.#onLink.clear();
    this.#stopGivingUp();
  }

  /** Called by the receiver when its process has taken so many bytes. */
  read(countBytes: number): void {
    this.#unacknowledgedBytes += countBytes;
    if (this.#back.carries) this.#acknowledge();
    else if (this.#unacknowledgedBytes === countBytes) {
      this.#startGivingUp();
      this.#back.whenCarries(() => this.#acknowledge());
    }
  }

  #acknowledge(): void {
    this.#windowUsedBytes -= this.#unacknowledgedBytes;
    this.#unacknowledgedBytes = 0;
    if (this.#heldCount === 0) this.#stopGivingUp();
    if (this.#unsentBytes === 0 || this.#isWindowEventWaiting) return;
    this.#isWindowEventWaiting = true;
    this.#timeline.schedule(this.#back.transitUs(0), "window", () => {
      this.#isWindowEventWaiting = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#windowUsedBytes < windowBytes) {
      const chunk = this.#unsent.shift();
      if (chunk === undefined) break;
      const { options, random } = this.#link;
      let length = Math.min(chunk.length, segmentBytesMax, windowBytes - this.#windowUsedBytes);
      if (random.oneIn(options.resetOneIn)) {
        if (length > 1) this.#travel(chunk.subarray(0, random.below(length)));
        this.abort("reset");
        this.onReset();
        return;
      }
      if (length > 1 && random.oneIn(options.splitOneIn)) length = random.between(1, length - 1);
      if (length < chunk.length) this.#unsent.unshift(chunk.subarray(length));
      this.#unsentBytes -= length;
      this.#windowUsedBytes += length;
      this.#travel(length < chunk.length ? chunk.subarray(0, length) : chunk);
    }
    if (this.#unsentBytes > 0) return;
    if (this.#wantsDrain) {
      this.#wantsDrain = false;
      this.onDrain();
    }
    if (this.#end === "queued") {
      this.#end = "sent";
      this.#travel("end");
      this.onEndSent();
    }
  }

  #travel(segment: Segment): void {
    this.#onLink.push(segment);
    this.#scheduleArrival(typeof segment === "string" ? 0 : segment.length);
  }

  // Arrivals carry no segment: each takes the next one, so that no delay can change the order.
  #scheduleArrival(sizeBytes: number): void {
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, this.#timeline.nowUs + this.#link.transitUs(sizeBytes));
    this.#timeline.scheduleAt(this.#lastArrivalUs, "segment", () => this.#arrive());
  }

  #arrive(): void {
    if (!this.#link.carries) {
      this.#heldCount++;
      if (this.#heldCount > 1) return;
      this.#startGivingUp();
      this.#link.whenCarries(() => this.#sendHeld());
      return;
    }
    const segment = this.#onLink.shift();
    if (segment === undefined) return;
    const { trace, nowUs } = this.#timeline;
    trace.add(nowUs, typeof segment === "string" ? segment : "bytes", this.#link.name);
    if (typeof segment !== "string") trace.addBytes(segment);
    this.onArrival(segment);
  }

  #sendHeld(): void {
    const count = this.#heldCount;
    this.#heldCount = 0;
    if (this.#unacknowledgedBytes === 0) this.#stopGivingUp();
    for (let i = 0; i < count; i++) this.#scheduleArrival(0);
  }

  #dropUnsent(): void {
    this.#unsent.clear();
    this.#unsentBytes = 0;
    this.#wantsDrain = false;
  }

  #startGivingUp(): void {
    this.#giveUp ??= this.#timeline.schedule(unansweredUsMax, "give up", () => {
      this.#giveUp = null;
      this.vanish();
      this.onGiveUp();
    });
  }

  #stopGivingUp(): void {
    if (this.#giveUp !== null) this.#timeline.cancel(this.#giveUp);
    this.#giveUp = null;
  }
}
