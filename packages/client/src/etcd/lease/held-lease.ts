import type { RpcClock, RpcTimer } from "@raftkv/raft-rpc";
import type { CallOptions } from "../../call-options.ts";
import { ClientError } from "../../client-error.ts";
import type { Lease } from "./lease.ts";
import type { LeaseRenewal } from "./lease-answers.ts";

/** What a held lease does with the cluster. */
export interface LeaseKeeper {
  readonly clock: RpcClock;
  /** Rejects with ClientError. */
  readonly renew: (id: bigint, options: CallOptions) => Promise<LeaseRenewal>;
  /** Resolves also if there is no such lease any more. Rejects with ClientError. */
  readonly revoke: (id: bigint, options: CallOptions) => Promise<void>;
  /** It is not kept alive any more. Called once. */
  readonly onEnd: (lease: HeldLease) => void;
}

/** Renewed each time that a third of its time has passed. */
const renewalsPerTtl = 3;

/**
 * A lease that is renewed until it is released. Its time counts from the moment before the last renewal that succeeded was asked for, so that
 * it is given up here no later than the server ends it.
 */
export class HeldLease implements Lease {
  readonly id: bigint;
  readonly ttl: number;
  readonly #keeper: LeaseKeeper;
  readonly #loss = new AbortController();
  /** Ends the renewal that is under way. */
  readonly #end = new AbortController();
  #validUntilMs: number;
  #timer: RpcTimer | null = null;
  #over = false;

  /** Granted or renewed for `ttl` seconds by a request that was made at `askedAtMs`. */
  constructor(keeper: LeaseKeeper, id: bigint, ttl: number, askedAtMs: number) {
    this.#keeper = keeper;
    this.id = id;
    this.ttl = ttl;
    this.#validUntilMs = askedAtMs + ttl * 1000;
    this.#schedule();
  }

  get signal(): AbortSignal {
    return this.#loss.signal;
  }

  async revoke(options: CallOptions = {}): Promise<void> {
    if (this.signal.aborted) return;
    this.abandon();
    await this.#keeper.revoke(this.id, options);
  }

  abandon(): void {
    this.#finish();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.revoke();
  }

  /** It is gone, or nobody can tell any more that it is not. */
  lose(reason: string, cause?: unknown): void {
    this.#fail(new ClientError("ERR_LEASE_LOST", `Lease ${this.id.toString(16)} is lost: ${reason}`, { cause }));
  }

  /** The client is closed, with which nobody keeps it alive. */
  close(): void {
    this.#fail(new ClientError("ERR_CLOSED", "The client is closed"));
  }

  #schedule(): void {
    const { clock } = this.#keeper;
    const leftMs = this.#validUntilMs - clock.monotonicMs();
    const pauseMs = leftMs - (this.ttl * 1000 * (renewalsPerTtl - 1)) / renewalsPerTtl;
    // Whatever happens to it is told by the signal.
    this.#timer = clock.setTimer(Math.max(0, pauseMs), () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { clock, renew } = this.#keeper;
    const askedAtMs = clock.monotonicMs();
    const leftMs = this.#validUntilMs - askedAtMs;
    if (leftMs < 1) return this.lose(`it was not renewed within its ${this.ttl} s`);
    try {
      const { ttl } = await renew(this.id, { timeoutMs: leftMs, signal: this.#end.signal });
      if (this.#over) return;
      if (ttl <= 0) return this.lose("the cluster does not know it any more");
      this.#validUntilMs = askedAtMs + ttl * 1000;
      this.#schedule();
    } catch (error) {
      if (!this.#over) this.lose(error instanceof Error ? error.message : String(error), error);
    }
  }

  #fail(error: ClientError): void {
    if (this.#over) return;
    this.#finish();
    this.#loss.abort(error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#end.abort();
    this.#keeper.onEnd(this);
  }
}
