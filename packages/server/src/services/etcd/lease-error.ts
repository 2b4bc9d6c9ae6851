import type { NodeError } from "@raftkv/raft-node";
import { StatusCode } from "@raftkv/raft-rpc";
import type { Refusal } from "../../state/apply-result.ts";
import { type EtcdError, etcdErrorOf, etcdErrors } from "./etcd-error.ts";

/** What a client of etcd is told when nobody could say anything about a lease: a missing leader has its own text there. */
export function leaseErrorOf(error: NodeError): EtcdError {
  return error.code === "ERR_NO_LEADER" ? etcdErrors.noLeader : etcdErrorOf(error);
}

/** Why a lease was not granted or not revoked. */
export function leaseRefusalError(reason: Refusal): EtcdError {
  switch (reason) {
    case "lease-exists":
      return etcdErrors.leaseExists;
    case "lease-not-found":
      return etcdErrors.leaseNotFound;
    case "no-space":
      return etcdErrors.noSpace;
    case "corrupt-cluster":
      return etcdErrors.corruptCluster;
    default:
      return { code: StatusCode.INTERNAL, message: `raftkv: the request was refused as ${reason}` };
  }
}
