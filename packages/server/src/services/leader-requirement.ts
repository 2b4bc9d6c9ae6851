import type { RaftNode } from "@raftkv/raft-node";
import type { ServerInterceptor } from "@raftkv/raft-rpc";
import type { ApplyResult } from "../state/apply-result.ts";
import { etcdErrors, rpcError } from "./etcd/etcd-error.ts";

/** Refuses calls with the metadata `hasleader: true` while this member knows of no leader (etcd's WithRequireLeader). */
export function leaderRequirement(node: Pick<RaftNode<ApplyResult>, "leader">): ServerInterceptor {
  return {
    admit(call) {
      if (node.leader === 0 && call.metadata.get("hasleader") === "true") throw rpcError(etcdErrors.noLeader);
    },
  };
}
