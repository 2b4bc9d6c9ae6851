import type { NodeError } from "@raftkv/raft-node";

/** Told once how a question about a lease ended at the member that was asked. */
export interface LeaseAnswer<Value> {
  succeed(value: Value): void;
  /** This member does not lead, or can't prove it any more: nothing was done, and whoever leads may be asked. */
  notPrimary(): void;
  fail(error: NodeError): void;
}

/** What is left of a lease, in seconds; `ttl` is -1 if there is no such lease or its time is over. */
export interface LeaseTime {
  readonly ttl: number;
  readonly grantedTtl: number;
}

export const noLeaseTime: LeaseTime = { ttl: -1, grantedTtl: 0 };
