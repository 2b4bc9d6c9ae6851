import { assert, assertNever } from "../assert.ts";
import { Fifo } from "../http2/fifo.ts";
import { readUint32 } from "../http2/frame.ts";
import type { CompressionJob, Compressor, Inflated } from "./compressor.ts";
import { DeadlineEntry } from "./deadline-wheel.ts";
import type { BudgetWaiter, PartialBudget } from "./partial-budget.ts";
import { StatusCode } from "./status.ts";

/** What a stream needs of its connection for receiving. */
export interface InputOwner {
  readonly messageBytesMax: number;
  readonly streamWindowBytes: number;
  /** What the peer may send on a stream that is opened now. */
  openingWindowBytes(): number;
  /** Shared by the incomplete messages that are too large for their stream's window. */
  readonly partialBudget: PartialBudget;
  /** Adds to (or takes from) what complete messages occupy that nobody took yet. */
  holdQueued(byteCount: number): void;
  /** Messages that came in one DATA frame beyond its first: work that frames don't show. */
  messagesRead(count: number): void;
  /** Adds to (or takes from) what messages occupy that are not complete. */
  holdPartial(byteCount: number): void;
  /** Raises the window of the stream at the peer. */
  grantStream(streamId: number, byteCount: number): void;
}

export const messagePrefixBytes = 5;
/** Memory for a message that comes in pieces: at first, if it needs as much, and by what factor it grows. */
const bodyBytesMin = 16 * 1024;
const bodyGrowth = 4;
/** A message that waits may hold a chunk of so many times its length. */
const keptChunkFactor = 2;
const noBytes = new Uint8Array(0);

/** A message whose bytes come in several DATA frames. */
class PartialMessage {
  readonly prefix = new Uint8Array(messagePrefixBytes);
  prefixLength = 0;
  /** Of the whole message; known when the prefix is complete. */
  length = 0;
  /** Made when the prefix is complete and its length allowed; grows as bytes come, until it is the whole message. */
  body: Uint8Array | null = null;
  bodyLength = 0;
  /** Of the connection's budget: "none" if the stream's own window is enough. */
  share: "none" | "waiting" | "held" = "none";
}

/** A message that waits as it came, and for the compressor. */
class CompressedMessage {
  /** As it came; its window is given back when the message was taken. */
  readonly wireBytes: number;
  bytes: Uint8Array;
  isInflated = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.wireBytes = bytes.length;
  }
}

/** What a stream with compressed messages has besides. */
export interface InputInflation {
  readonly compressor: Compressor;
  /** Inflate nothing before END_STREAM: a call that takes one message has no use for it earlier. */
  readonly atEnd: boolean;
  /** Of the message at the head of the line. */
  job: CompressionJob | null;
}

type WaitingMessage = Uint8Array | CompressedMessage;

/** The message, for someone who keeps it: a short one must not hold the long chunk that it came in. */
export function keptMessage(message: Uint8Array): Uint8Array {
  return message.buffer.byteLength > keptChunkFactor * message.length ? message.slice() : message;
}

/** What a message occupied on the wire. */
function wireBytesOf(message: WaitingMessage): number {
  return (message instanceof CompressedMessage ? message.wireBytes : message.length) + messagePrefixBytes;
}

/**
 * The receiving half of a call: gRPC messages out of DATA payloads, and window for the peer as messages are taken.
 *
 *   message  +-----------+-------------+------------- - -
 *            | flag (1)  | length (4)  | bytes (length)        in DATA frames that are cut anywhere
 *            +-----------+-------------+------------- - -
 *
 * A message that lies whole in a DATA frame is handed out as a view of the received chunk; others are copied together once. A message that
 * is larger than the stream's window gets the window it needs when the connection's budget has room for it, and waits until then.
 *
 * A compressed message is inflated when its turn comes, one at a time: until then it occupies what it had on the wire.
 */
export abstract class MessageInput extends DeadlineEntry implements BudgetWaiter {
  id = 0;
  /** What the peer may still send on this stream. May go below 0 only in the frame that breaks the limit. */
  receiveWindow = 0;
  /** Set before DATA comes, if messages may have the compressed flag. */
  protected inflation: InputInflation | null = null;
  #owner: InputOwner | null = null;
  #partial: PartialMessage | null = null;
  #inbox: Fifo<WaitingMessage> | null = null;
  #heldBytes = 0;
  #paused = false;
  #delivering = false;
  /** What still comes from the peer. "ended": END_STREAM was read, but messages wait. "done": the end was told, or nobody listens. */
  #phase: "reading" | "ended" | "done" = "reading";

  /** A complete message; a view that may be kept. */
  protected abstract messageReceived(message: Uint8Array): void;
  /** END_STREAM, after all messages were delivered. */
  protected abstract inputEnded(): void;
  /** The peer broke the message format or a limit. The implementation ends the stream. */
  protected abstract inputFailed(code: StatusCode, message: string): void;

  protected openInput(owner: InputOwner): void {
    this.#owner = owner;
    this.receiveWindow = owner.openingWindowBytes();
  }

  /** DATA of this stream without padding. `receiveWindow` was lowered before; no window is given back for the `last` of it. */
  receiveData(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const owner = this.#owner;
    if (owner === null || this.#phase !== "reading") return;
    let at = start;
    let messages = 0;
    if (this.#partial !== null) at = this.#fillPartial(owner, this.#partial, bytes, at, end);
    while (this.#phase === "reading" && this.#partial === null && end - at >= messagePrefixBytes) {
      const length = this.#messageLength(owner, bytes, at);
      if (length < 0) return;
      const bodyStart = at + messagePrefixBytes;
      if (end - bodyStart < length) break;
      const isCompressed = bytes[at] === 1;
      at = bodyStart + length;
      messages++;
      const message = bytes.subarray(bodyStart, at);
      if (isCompressed) this.#acceptCompressed(owner, message);
      else this.#accept(owner, message);
    }
    if (messages > 1) owner.messagesRead(messages - 1);
    if (this.#phase === "reading" && at < end) {
      this.#partial ??= new PartialMessage();
      this.#fillPartial(owner, this.#partial, bytes, at, end);
    }
    if (!last) this.#credit(owner);
  }

  /** END_STREAM was read. */
  receiveEnd(): void {
    if (this.#phase !== "reading") return;
    if (this.#partial !== null) return this.inputFailed(StatusCode.INTERNAL, "Stream ended inside a message");
    this.#phase = "ended";
    if (this.inflation !== null && this.#owner !== null) this.#deliverInbox(this.#owner);
    this.#endIfEmpty();
  }

  /** The peer has applied a setting that takes window from the streams it had opened (RFC 9113 6.9.2). May lead below 0. */
  lowerWindow(byteCount: number): void {
    this.receiveWindow -= byteCount;
    if (this.#owner !== null) this.#credit(this.#owner);
  }

  /** Messages wait, and so, after `streamWindowBytes`, does the peer. */
  pauseInput(): void {
    this.#paused = true;
  }

  resumeInput(): void {
    this.#paused = false;
    const owner = this.#owner;
    if (owner === null || this.#delivering) return;
    this.#goOn(owner);
  }

  /** Nobody listens any more: what waits is dropped, and what still comes is ignored. */
  stopInput(): void {
    this.#phase = "done";
    const owner = this.#owner;
    if (owner === null) return;
    this.#cancelInflation();
    const inbox = this.#inbox;
    for (let message = inbox?.shift(); message !== undefined; message = inbox?.shift()) owner.holdQueued(-wireBytesOf(message));
    this.#dropPartial(owner);
  }

  #accept(owner: InputOwner, message: Uint8Array): void {
    if (this.#paused || this.#delivering || (this.#inbox !== null && this.#inbox.length > 0)) {
      this.#queue(owner, keptMessage(message));
      return;
    }
    this.#delivering = true;
    this.messageReceived(message);
    this.#delivering = false;
    if (this.#inbox !== null) this.#deliverInbox(owner);
  }

  #acceptCompressed(owner: InputOwner, bytes: Uint8Array): void {
    this.#queue(owner, new CompressedMessage(keptMessage(bytes)));
    if (!this.#delivering) this.#deliverInbox(owner);
  }

  #queue(owner: InputOwner, message: WaitingMessage): void {
    this.#inbox ??= new Fifo();
    this.#inbox.push(message);
    const wireBytes = wireBytesOf(message);
    this.#heldBytes += wireBytes;
    owner.holdQueued(wireBytes);
  }

  #deliverInbox(owner: InputOwner): void {
    const inbox = this.#inbox;
    if (inbox === null) return;
    while (!this.#paused && this.#phase !== "done") {
      const waiting = inbox.peek();
      if (waiting === undefined) return;
      if (waiting instanceof CompressedMessage && !waiting.isInflated) return this.#inflate(owner, waiting);
      inbox.shift();
      const wireBytes = wireBytesOf(waiting);
      this.#heldBytes -= wireBytes;
      owner.holdQueued(-wireBytes);
      this.#delivering = true;
      this.messageReceived(waiting instanceof CompressedMessage ? waiting.bytes : waiting);
      this.#delivering = false;
    }
  }

  /** The message stays at the head of the line, so that nothing overtakes it. */
  #inflate(owner: InputOwner, waiting: CompressedMessage): void {
    const inflation = this.inflation;
    assert(inflation !== null, "Without a compressor no compressed message is taken");
    if (inflation.job !== null || (inflation.atEnd && this.#phase === "reading")) return;
    inflation.job = inflation.compressor.inflate(waiting.bytes, owner.messageBytesMax, (result) => {
      inflation.job = null;
      this.#inflated(owner, waiting, result);
    });
  }

  #cancelInflation(): void {
    if (this.inflation === null) return;
    this.inflation.job?.cancel();
    this.inflation.job = null;
  }

  #inflated(owner: InputOwner, waiting: CompressedMessage, result: Inflated): void {
    switch (result.kind) {
      case "message":
        waiting.bytes = result.message;
        waiting.isInflated = true;
        return this.#goOn(owner);
      case "tooLarge":
        // The sentence of grpc-go, which etcd's clients know.
        return this.inputFailed(
          StatusCode.RESOURCE_EXHAUSTED,
          `grpc: received message after decompression larger than max ${owner.messageBytesMax}`,
        );
      case "broken":
        return this.inputFailed(StatusCode.INTERNAL, `grpc: failed to decompress the received message: ${result.reason}`);
      default:
        return assertNever(result);
    }
  }

  /** After something that held messages back: delivers, gives window, or tells the end. */
  #goOn(owner: InputOwner): void {
    this.#deliverInbox(owner);
    if (this.#phase === "reading") this.#credit(owner);
    else this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.#phase !== "ended" || (this.#inbox !== null && this.#inbox.length > 0)) return;
    this.#phase = "done";
    this.inputEnded();
  }

  /** The declared length, checked; -1 if the stream was failed for it. */
  #messageLength(owner: InputOwner, bytes: Uint8Array, at: number): number {
    const flag = bytes[at] as number;
    const length = readUint32(bytes, at + 1);
    if (flag !== 0 && (flag !== 1 || this.inflation === null)) {
      const what = flag === 1 ? "Compressed flag is set, but the call has no grpc-encoding" : `Compressed flag is ${flag}, not 0 or 1`;
      this.inputFailed(StatusCode.INTERNAL, what);
      return -1;
    }
    if (length > owner.messageBytesMax) {
      // The sentence of grpc-go, which etcd's clients know.
      const what = `grpc: received message larger than max (${length} vs. ${owner.messageBytesMax})`;
      this.inputFailed(StatusCode.RESOURCE_EXHAUSTED, what);
      return -1;
    }
    return length;
  }

  /** Takes what the message still needs; returns the offset behind it. */
  #fillPartial(owner: InputOwner, partial: PartialMessage, bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (partial.prefixLength < messagePrefixBytes) {
      if (at === end) return at;
      partial.prefix[partial.prefixLength++] = bytes[at++] as number;
    }
    if (partial.body === null) {
      const length = this.#messageLength(owner, partial.prefix, 0);
      if (length < 0) return end;
      partial.length = length;
      this.#takeShare(owner, partial, end - at);
    }
    const count = Math.min(partial.length - partial.bodyLength, end - at);
    const body = this.#roomFor(owner, partial, partial.bodyLength + count);
    body.set(bytes.subarray(at, at + count), partial.bodyLength);
    partial.bodyLength += count;
    if (partial.bodyLength === partial.length) {
      this.#dropPartial(owner);
      if (partial.prefix[0] === 1) this.#acceptCompressed(owner, body);
      else this.#accept(owner, body);
    }
    return at + count;
  }

  /** A message that needs more than its stream's window needs a share of the budget, too. `arrived`: bytes in the frame. */
  #takeShare(owner: InputOwner, partial: PartialMessage, arrived: number): void {
    const windowBytes = arrived + Math.max(0, this.receiveWindow);
    const ownBytes = Math.max(windowBytes, owner.streamWindowBytes - this.#heldBytes - messagePrefixBytes);
    if (partial.length > ownBytes) partial.share = owner.partialBudget.take(this, partial.length) ? "held" : "waiting";
  }

  /** Memory follows the bytes that came, not the length that was declared: five octets must not cost a server megabytes. */
  #roomFor(owner: InputOwner, partial: PartialMessage, byteCount: number): Uint8Array {
    const body = partial.body ?? noBytes;
    if (partial.body !== null && byteCount <= body.length) return body;
    const larger = new Uint8Array(Math.min(partial.length, Math.max(byteCount, bodyBytesMin, body.length * bodyGrowth)));
    larger.set(body.subarray(0, partial.bodyLength));
    owner.holdPartial(larger.length - body.length);
    partial.body = larger;
    return larger;
  }

  budgetGranted(): void {
    const owner = this.#owner;
    const partial = this.#partial;
    assert(owner !== null && partial !== null && partial.share === "waiting", "A message waits for its share");
    partial.share = "held";
    this.#credit(owner);
  }

  #dropPartial(owner: InputOwner): void {
    const partial = this.#partial;
    if (partial === null) return;
    this.#partial = null;
    if (partial.body !== null) owner.holdPartial(-partial.body.length);
    if (partial.share === "held") owner.partialBudget.release(partial.length);
    else if (partial.share === "waiting") owner.partialBudget.cancel(this);
  }

  /**
   * Window for the peer: at once what a begun message still needs, else it could never be completed (nothing while it waits for its share);
   * otherwise when half of the window was taken by the handler.
   */
  #credit(owner: InputOwner): void {
    if (this.#phase !== "reading") return;
    const partial = this.#partial;
    let byteCount = 0;
    if (partial !== null && partial.body !== null) {
      if (partial.share === "waiting") return;
      byteCount = partial.length - partial.bodyLength - this.receiveWindow;
    } else {
      const free = owner.streamWindowBytes - this.receiveWindow - this.#heldBytes - (partial?.prefixLength ?? 0);
      if (free * 2 >= owner.streamWindowBytes) byteCount = free;
    }
    if (byteCount <= 0) return;
    this.receiveWindow += byteCount;
    owner.grantStream(this.id, byteCount);
  }
}
