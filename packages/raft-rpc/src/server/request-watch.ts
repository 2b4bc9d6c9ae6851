import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { RpcClock } from "../rpc-clock.ts";

/** The stream of a request. */
export interface WatchedRequest {
  /** When it began, if more of it had to come. */
  begunMs: number;
  /** Has it to end, and did it not? */
  readonly isIncomplete: boolean;
  requestOverdue(requestMs: number): void;
}

export interface RequestWatchOptions {
  readonly clock: RpcClock;
  readonly wheel: DeadlineWheel;
  /** In the order in which they began. */
  readonly streams: { values(): Iterable<WatchedRequest> };
  /** How long a request may take to come. */
  readonly requestMs: number;
  readonly onOverdue: (request: WatchedRequest) => void;
}

/**
 * Finds unary requests that began and do not end: each would hold its memory, and its place among the streams of the connection, for as long
 * as its client likes. One timer for the connection, at the time of the oldest, so that a call costs nothing more.
 */
export class RequestWatch {
  readonly #options: RequestWatchOptions;
  readonly #timer = new WheelTimer(() => this.#look());

  constructor(options: RequestWatchOptions) {
    this.#options = options;
  }

  /** A request began, and more of it has to come. */
  began(stream: WatchedRequest, nowMs: number): void {
    stream.begunMs = nowMs;
    if (this.#timer.wheelSlot < 0) this.#options.wheel.set(this.#timer, nowMs + this.#options.requestMs);
  }

  stop(): void {
    this.#options.wheel.clear(this.#timer);
  }

  #look(): void {
    const { clock, wheel, streams, requestMs, onOverdue } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const stream of [...streams.values()]) {
      if (!stream.isIncomplete) continue;
      if (stream.begunMs + requestMs > nowMs) return wheel.set(this.#timer, stream.begunMs + requestMs);
      onOverdue(stream);
    }
  }
}
