import { Fifo } from "../http2/fifo.ts";
import { sendHighWaterBytes } from "../limits.ts";
import type { CompressionJob, Compressor } from "./compressor.ts";

/** Shorter messages leave as they are: they would hardly get smaller. */
const compressedBytesMin = 1024;

/** The octet before each message: is it compressed? (PROTOCOL-HTTP2, Compressed-Flag) */
export type CompressedFlag = 0 | 1;

/** Where the messages of one stream go. */
export interface MessageSink {
  /** False asks to stop until `CompressedOutput.drained` is called. Does nothing when the stream is closed. */
  writeMessage(message: Uint8Array, compressed: CompressedFlag): boolean;
  /** The sender may go on, after `send` returned false. */
  outputDrained(): void;
}

/**
 * The messages of one stream on their way through a compressor: one at a time and in order. A sink that is full stops the compressor, and
 * then the sender.
 *
 *   send --> [waiting] --> compressor --> sink.writeMessage        `afterAll` when nothing waits any more
 */
export class CompressedOutput {
  waitingBytes = 0;
  readonly #compressor: Compressor;
  readonly #sink: MessageSink;
  readonly #waiting = new Fifo<Uint8Array>();
  #job: CompressionJob | null = null;
  #sinkFull = false;
  #senderWaits = false;
  #afterAll: (() => void) | null = null;

  constructor(compressor: Compressor, sink: MessageSink) {
    this.#compressor = compressor;
    this.#sink = sink;
  }

  /** Takes the message in any case; false asks to stop until `outputDrained`. */
  send(message: Uint8Array): boolean {
    this.#waiting.push(message);
    this.waitingBytes += message.length;
    this.#continue();
    if (!this.#sinkFull && this.waitingBytes <= sendHighWaterBytes) return true;
    this.#senderWaits = true;
    return false;
  }

  /** Calls `then` when all that was sent is in the sink: at once if it is. */
  afterAll(then: () => void): void {
    if (this.#waiting.length === 0) then();
    else this.#afterAll = then;
  }

  /** The sink has room again. */
  drained(): void {
    this.#sinkFull = false;
    this.#continue();
    this.#tellSender();
  }

  /** Nothing more leaves. */
  cancel(): void {
    this.#job?.cancel();
    this.#job = null;
    this.#waiting.clear();
    this.waitingBytes = 0;
    this.#afterAll = null;
  }

  /** Writes what goes as it is, until something has to be compressed. The message in work stays at the head of the line. */
  #continue(): void {
    while (this.#job === null && !this.#sinkFull) {
      const message = this.#waiting.peek();
      if (message === undefined) return;
      if (message.length >= compressedBytesMin) {
        this.#job = this.#compressor.compress(message, (compressed) => this.#compressed(message, compressed));
        return;
      }
      this.#write(message, message, 0);
    }
  }

  #compressed(message: Uint8Array, compressed: Uint8Array | null): void {
    this.#job = null;
    if (compressed !== null && compressed.length < message.length) this.#write(message, compressed, 1);
    else this.#write(message, message, 0);
    this.#continue();
    this.#tellSender();
  }

  #write(message: Uint8Array, bytes: Uint8Array, flag: CompressedFlag): void {
    this.#waiting.shift();
    this.waitingBytes -= message.length;
    this.#sinkFull = !this.#sink.writeMessage(bytes, flag);
    if (this.#waiting.length > 0) return;
    const then = this.#afterAll;
    this.#afterAll = null;
    then?.();
  }

  #tellSender(): void {
    if (!this.#senderWaits || this.#sinkFull || this.waitingBytes * 2 > sendHighWaterBytes) return;
    this.#senderWaits = false;
    this.#sink.outputDrained();
  }
}
