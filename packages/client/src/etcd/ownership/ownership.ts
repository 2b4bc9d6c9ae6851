import type { ResponseHeader } from "@raftkv/api";
import type { CallOptions } from "../../call-options.ts";
import type { LeaseReference } from "../kv-options.ts";

export interface OwnershipOptions extends CallOptions {
  /** A lease of the caller, who keeps it alive. Default: one of its own, which is kept alive and revoked at the end. */
  readonly lease?: LeaseReference;
  /** Seconds of the lease of its own: how long others wait after this process has died. Default 60. */
  readonly ttl?: number;
}

/** A lock that is held, or an election that was won. */
export interface Ownership extends AsyncDisposable {
  /** `<name>/<lease id in hex>`; it exists as long as this lasts. */
  readonly key: Uint8Array;
  readonly leaseId: bigint;
  /**
   * The fencing token: the create revision of the key. Each later owner has a larger one, so that whoever is written to can refuse an
   * owner that does not know yet that it is not one any more.
   */
  readonly fencingToken: number;
  /** Aborts when ownership is lost: the lease is, or the key was deleted. */
  readonly signal: AbortSignal;
}

export interface HeldLock extends Ownership {
  readonly header: ResponseHeader;
  /** Lets the next one in. May be called twice. */
  unlock(options?: CallOptions): Promise<void>;
}

export interface Leadership extends Ownership {
  readonly header: ResponseHeader;
  /** Changes what the leader announces. Rejects with ERR_LEASE_LOST if this is not the leader any more. */
  proclaim(value: string | Uint8Array, options?: CallOptions): Promise<void>;
  /** Lets the next one lead. May be called twice. */
  resign(options?: CallOptions): Promise<void>;
}
