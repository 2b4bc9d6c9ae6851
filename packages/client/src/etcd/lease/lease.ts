import type { CallOptions } from "../../call-options.ts";

/**
 * A lease that is kept alive until it is released. `signal` aborts when it is lost, before any other client can see its keys gone: with a
 * ClientError ERR_LEASE_LOST as its reason.
 */
export interface Lease extends AsyncDisposable {
  readonly id: bigint;
  /** Seconds that the server granted. */
  readonly ttl: number;
  /** Aborts when the lease is lost. */
  readonly signal: AbortSignal;
  /** Ends the lease, and its keys with it. One that is lost needs no end. May be called twice. Rejects with ClientError. */
  revoke(options?: CallOptions): Promise<void>;
  /** Stops keeping it alive; the server ends it when its time is over. */
  abandon(): void;
}
