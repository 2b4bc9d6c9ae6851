import type { LeaseReference } from "../kv-options.ts";

export interface OwnershipOptions {
  /** How long to wait for those that were there before, in ms. Default: no limit. Then the call rejects with ERR_TIMEOUT. */
  readonly timeoutMs?: number;
  /** Ends the waiting: the call rejects with ERR_ABORTED. What is owned already stays so. */
  readonly signal?: AbortSignal;
  /** A lease of the caller, who keeps it alive. Default: one of its own, which is kept alive, and revoked at the end. */
  readonly lease?: LeaseReference;
  /** Seconds of the lease of its own: how long others wait after this process has died. Default 60. */
  readonly ttl?: number;
}

/** What a lock that is held and an election that was won have in common. */
export interface Ownership extends AsyncDisposable {
  /** `<name>/<lease id in hex>`; it exists as long as this lasts. */
  readonly key: Uint8Array;
  readonly leaseId: bigint;
  /**
   * The create revision of the key. Each later owner has a larger one: whoever is written to can refuse an owner that does not know yet
   * that it is not one any more.
   */
  readonly fencingToken: number;
  /** Aborts when it is lost: with a ClientError as the reason, ERR_LEASE_LOST if the lease ended or the key was deleted. */
  readonly signal: AbortSignal;
}
