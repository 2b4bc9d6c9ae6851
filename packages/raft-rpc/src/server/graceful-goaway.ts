import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import { ErrorCode, streamIdMax } from "../http2/frame.ts";
import { drainPingTimeoutMs } from "../limits.ts";
import type { RpcClock } from "../rpc-clock.ts";

export interface GracefulGoawayOptions {
  readonly clock: RpcClock;
  readonly wheel: DeadlineWheel;
  /** False: the connection has ended for another reason. */
  readonly isOpen: () => boolean;
  readonly goaway: (lastStreamId: number, code: ErrorCode, reason: string) => void;
  readonly ping: (payload: Uint8Array) => void;
  /** The highest stream that was accepted: none is after the last GOAWAY. */
  readonly lastAcceptedId: () => number;
  /** The last GOAWAY is out. */
  readonly onLast: () => void;
}

const pingPayload = Uint8Array.of(0x67, 0x6f, 0x61, 0x77, 0x61, 0x79, 0, 1);
const lastReason = "graceful_stop";

/**
 * Tells a client to go without losing a call that is on its way (RFC 9113 6.8): the first GOAWAY allows them all, and what comes before the
 * client's answer to a PING was on its way.
 *
 *   no --begin: GOAWAY 2^31-1, PING--> announced --PING answered, or time over: GOAWAY with the real last id--> last
 */
export class GracefulGoaway {
  phase: "no" | "announced" | "last" = "no";
  readonly #options: GracefulGoawayOptions;
  readonly #timer = new WheelTimer(() => this.#last());

  constructor(options: GracefulGoawayOptions) {
    this.#options = options;
  }

  begin(reason: string): void {
    if (this.phase !== "no") return;
    this.phase = "announced";
    const { clock, wheel, goaway, ping } = this.#options;
    goaway(streamIdMax, ErrorCode.NO_ERROR, reason);
    ping(pingPayload);
    wheel.set(this.#timer, clock.monotonicMs() + drainPingTimeoutMs);
  }

  pingAnswered(payload: Uint8Array): void {
    if (payload.every((octet, place) => octet === pingPayload[place])) this.#last();
  }

  stop(): void {
    this.#options.wheel.clear(this.#timer);
  }

  #last(): void {
    const { isOpen, goaway, lastAcceptedId, onLast } = this.#options;
    if (this.phase !== "announced" || !isOpen()) return;
    this.phase = "last";
    this.stop();
    goaway(lastAcceptedId(), ErrorCode.NO_ERROR, lastReason);
    onLast();
  }
}
