import { FloodError } from "../http2/flood-error.ts";
import { pingIntervalIdleMs, pingStrikesMax } from "../limits.ts";

/** What the policy looks at when a ping comes. */
export interface PingMoment {
  readonly nowMs: number;
  readonly hasCalls: boolean;
  /** HEADERS and DATA frames that were sent on the connection until now. */
  readonly streamFramesSent: number;
}

/** How often a client may ping (gRPC proposal A8): as often as it likes while it is answered, for clients measure bandwidth so. */
export class PingPolicy {
  readonly #intervalMinMs: number;
  #strikes = 0;
  #lastValidMs = Number.NEGATIVE_INFINITY;
  #framesSentBefore = 0;

  constructor(intervalMinMs: number) {
    this.#intervalMinMs = intervalMinMs;
  }

  /** Throws FloodError for one ping too many. */
  ping({ nowMs, hasCalls, streamFramesSent }: PingMoment): void {
    if (streamFramesSent !== this.#framesSentBefore) {
      this.#framesSentBefore = streamFramesSent;
      this.#strikes = 0;
      this.#lastValidMs = Number.NEGATIVE_INFINITY;
    }
    const intervalMs = hasCalls ? this.#intervalMinMs : pingIntervalIdleMs;
    if (nowMs - this.#lastValidMs >= intervalMs) this.#lastValidMs = nowMs;
    else if (++this.#strikes > pingStrikesMax) throw new FloodError("pingFlood", "too_many_pings");
  }
}
