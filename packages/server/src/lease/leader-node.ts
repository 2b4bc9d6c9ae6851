import type { LogIndex } from "@raftkv/raft-core";
import type { Completion, RaftNode } from "@raftkv/raft-node";
import type { ApplyResult } from "../state/apply-result.ts";

/** What keeping leases needs of the node: whether it leads, a proof of it, and a way into the log. */
export interface LeaderNode extends Pick<RaftNode<ApplyResult>, "isLeader" | "term"> {
  /** Role and term of one moment: the two above may be of different ones within a turn. */
  status(): { readonly role: string; readonly term: number };
  /** Succeeds only if a majority still followed the leader after the call, and all that was committed before it is applied here. */
  read(completion: Completion<LogIndex>): void;
  submit(command: Uint8Array, completion: Completion<ApplyResult>): void;
}
