import type { ResponseHeader } from "@raftkv/api";
import type { RaftNode } from "@raftkv/raft-node";
import type { SpaceQuota } from "../space/space-quota.ts";
import type { ApplyResult } from "../state/apply-result.ts";
import type { ReplicatedState } from "../state/replicated-state.ts";
import type { ServiceCounts } from "./service-counts.ts";

/** What every service knows of the member that it serves. */
export interface ServiceContext {
  readonly node: RaftNode<ApplyResult>;
  readonly state: ReplicatedState;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** Largest request of a client. */
  readonly maxRequestBytes: number;
  /** Of a transaction, in its longest list. */
  readonly maxTxnOps: number;
  /** Asked before a request that needs space is proposed. */
  readonly quota: SpaceQuota;
  readonly counts: ServiceCounts;
  /** Of a response that shows the store at `revision`. */
  header(revision: number): ResponseHeader;
}
