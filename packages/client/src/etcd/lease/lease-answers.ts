import type { ResponseHeader } from "@raftkv/api";
import type { CallOptions } from "../../call-options.ts";

export interface GrantOptions extends CallOptions {
  /** Positive and below 2^63. Default: drawn by the client, below 2^53. */
  readonly id?: bigint;
}

export interface LeaseGrant {
  readonly header: ResponseHeader;
  readonly id: bigint;
  /** Seconds; the server may give more than was asked. */
  readonly ttl: number;
}

export interface LeaseRenewal {
  readonly header: ResponseHeader;
  readonly id: bigint;
  /** Seconds from now. 0: there is no such lease any more. */
  readonly ttl: number;
}

export interface LeaseTimeToLive {
  readonly header: ResponseHeader;
  readonly id: bigint;
  /** Seconds that are left. -1: there is no such lease. */
  readonly ttl: number;
  /** Seconds that it was granted for. */
  readonly grantedTtl: number;
  /** Attached keys, in their order, if they were asked for. */
  readonly keys: readonly Uint8Array[];
}

export interface LeaseList {
  readonly header: ResponseHeader;
  /** By the time that is left. */
  readonly ids: readonly bigint[];
}
