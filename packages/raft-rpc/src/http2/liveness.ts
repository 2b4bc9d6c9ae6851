import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { RpcClock } from "../rpc-clock.ts";

/** Until a connection that wanted no ping is looked at again. */
const recheckMs = 1000;

export interface LivenessOptions {
  readonly clock: RpcClock;
  readonly wheel: DeadlineWheel;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly stallMs: number;
  /** When the last bytes of the peer came. */
  readonly lastReadMs: () => number;
  /** Is it time for a ping if nothing comes? */
  readonly wantsPing: () => boolean;
  readonly ping: () => void;
  readonly onSilence: () => void;
  /** Grows with every byte of data that leaves, and by a stall's worth when all of it has left. */
  readonly progressBytes: () => number;
  /** By how much it has to grow within `stallMs`. */
  readonly progressBytesMin: () => number;
  /** Does output wait for the peer? */
  readonly waits: () => boolean;
  readonly onStall: () => void;
}

/**
 * Finds peers that are gone or that want nothing: a ping after silence, and a limit to how long output waits without moving
 * (CVE-2019-9511, CVE-2019-9517). Any byte that comes shows life; of much that waits, a byte now and then is no progress.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #keepaliveTimer = new WheelTimer(() => this.#checkKeepalive());
  readonly #stallTimer = new WheelTimer(() => this.#checkStall());
  #pingSentMs = Number.POSITIVE_INFINITY;
  #progressSeen = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  start(): void {
    const { wheel, clock, keepaliveMs } = this.#options;
    if (keepaliveMs !== Number.POSITIVE_INFINITY) wheel.set(this.#keepaliveTimer, clock.monotonicMs() + keepaliveMs);
  }

  stop(): void {
    this.#options.wheel.clear(this.#keepaliveTimer);
    this.#options.wheel.clear(this.#stallTimer);
  }

  /** Output begins to wait. Called often: costs nothing while the watch runs. */
  watchStall(): void {
    if (this.#stallTimer.wheelSlot >= 0) return;
    this.#progressSeen = this.#options.progressBytes();
    this.#options.wheel.set(this.#stallTimer, this.#options.clock.monotonicMs() + this.#options.stallMs);
  }

  #checkStall(): void {
    if (!this.#options.waits()) return;
    if (this.#options.progressBytes() - this.#progressSeen < this.#options.progressBytesMin()) this.#options.onStall();
    else this.watchStall();
  }

  #checkKeepalive(): void {
    const { clock, wheel, keepaliveMs, keepaliveTimeoutMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const lastReadMs = this.#options.lastReadMs();
    if (lastReadMs >= this.#pingSentMs) this.#pingSentMs = Number.POSITIVE_INFINITY;
    if (this.#pingSentMs !== Number.POSITIVE_INFINITY) return this.#options.onSilence();
    if (nowMs - lastReadMs < keepaliveMs || !this.#options.wantsPing()) {
      wheel.set(this.#keepaliveTimer, Math.max(lastReadMs + keepaliveMs, nowMs + Math.min(recheckMs, keepaliveMs)));
      return;
    }
    this.#pingSentMs = nowMs;
    this.#options.ping();
    wheel.set(this.#keepaliveTimer, nowMs + keepaliveTimeoutMs);
  }
}
