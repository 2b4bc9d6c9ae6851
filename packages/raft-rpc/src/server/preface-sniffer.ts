import { type ByteStream, type ByteStreamHandlers, HandshakeError } from "../byte-stream.ts";
import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import { clientPreface } from "../http2/frame.ts";
import type { RpcClock } from "../rpc-clock.ts";

export interface PrefaceSnifferOptions {
  readonly stream: ByteStream;
  readonly clock: RpcClock;
  readonly wheel: DeadlineWheel;
  readonly timeoutMs: number;
  /** The preface is the first `prefaceBytes` of `received`. */
  readonly onHttp2: (received: Uint8Array, prefaceBytes: number) => void;
  readonly onOther: (received: Uint8Array) => void;
  /** Too few bytes came in time; the stream is destroyed, and `onFault` and `onClosed` follow. */
  readonly onTimeout: () => void;
  /** The client began and did not go on, or took its time for nothing. Not of one that only looks whether somebody listens. */
  readonly onFault: () => void;
  readonly onClosed: () => void;
}

/**
 * Reads the first bytes of a stream until they differ from HTTP/2's preface or are all of it (RFC 9113 3.4): one differing byte decides, so
 * that HTTP/1.1 can share the port. `POST`, `PUT` and `PATCH` share the first letter.
 */
export class PrefaceSniffer implements ByteStreamHandlers {
  readonly #options: PrefaceSnifferOptions;
  readonly #timer = new WheelTimer(() => this.#timeOut());
  #received: Uint8Array = new Uint8Array(0);
  #decided = false;
  #isOverdue = false;

  constructor(options: PrefaceSnifferOptions) {
    this.#options = options;
    options.wheel.set(this.#timer, options.clock.monotonicMs() + options.timeoutMs);
    options.stream.setHandlers(this);
  }

  destroy(): void {
    this.#decide();
    this.#options.stream.destroy();
  }

  onData(bytes: Uint8Array): void {
    if (this.#decided) return;
    // Less than a preface was kept: the join is short.
    this.#received = this.#received.length === 0 ? bytes : join(this.#received, bytes);
    const compared = Math.min(this.#received.length, clientPreface.length);
    for (let place = 0; place < compared; place++) {
      if (this.#received[place] !== clientPreface[place]) {
        this.#decide();
        this.#options.onOther(this.#received);
        return;
      }
    }
    if (compared < clientPreface.length) return;
    this.#decide();
    this.#options.onHttp2(this.#received, compared);
  }

  onDrain(): void {
    // Nothing was written.
  }

  onClose(error: Error | null): void {
    if (this.#decided) return;
    this.#decide();
    if (this.#isOverdue || this.#received.length > 0 || error instanceof HandshakeError) this.#options.onFault();
    this.#options.onClosed();
  }

  #timeOut(): void {
    this.#isOverdue = true;
    this.#options.onTimeout();
    this.#options.stream.destroy();
  }

  #decide(): void {
    this.#decided = true;
    this.#options.wheel.clear(this.#timer);
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
