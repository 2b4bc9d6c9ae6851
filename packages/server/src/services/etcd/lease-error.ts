import type { NodeError } from "@raftkv/raft-node";
import { type EtcdError, etcdErrorOf, etcdErrors } from "./etcd-error.ts";

/** What a client of etcd is told when nobody could say anything about a lease: a missing leader has its own text there. */
export function leaseErrorOf(error: NodeError): EtcdError {
  return error.code === "ERR_NO_LEADER" ? etcdErrors.noLeader : etcdErrorOf(error);
}
