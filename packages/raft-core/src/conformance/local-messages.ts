import type { PeerMessage } from "../messages.ts";
import type { AppendAcknowledgement, AppendJob, ApplyJob } from "../ready.ts";
import type { NodeId } from "../types.ts";

/**
 * The reference speaks to the storage of a member by messages too. In asynchronous mode they wait in queues next to those between
 * members, and scripts decide when each goes on.
 */
export const APPEND_THREAD = "AppendThread";
export const APPLY_THREAD = "ApplyThread";

export interface StorageAppend {
  readonly type: "storageAppend";
  readonly from: NodeId;
  readonly job: AppendJob;
}
export interface StorageAppendResponse {
  readonly type: "storageAppendResponse";
  readonly to: NodeId;
  readonly acknowledges: AppendAcknowledgement;
}
export interface StorageApply {
  readonly type: "storageApply";
  readonly from: NodeId;
  readonly job: ApplyJob;
}
export interface StorageApplyResponse {
  readonly type: "storageApplyResponse";
  readonly to: NodeId;
  readonly job: ApplyJob;
}

/** What waits to be delivered to a member. */
export type Delivery = PeerMessage | StorageAppendResponse | StorageApplyResponse;
/** Everything that has a text. */
export type AnyMessage = Delivery | StorageAppend | StorageApply;

/** What follows when the job is durable: its own messages, then its acknowledgement. */
export function responsesToAppend({ from, job }: StorageAppend): readonly Delivery[] {
  const { acknowledges, messages } = job;
  return acknowledges === null ? messages : [...messages, { type: "storageAppendResponse", to: from, acknowledges }];
}

/** What follows when the job is applied. */
export function responsesToApply({ from, job }: StorageApply): readonly Delivery[] {
  return [{ type: "storageApplyResponse", to: from, job }];
}
