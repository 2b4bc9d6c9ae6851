import { NodeError } from "@raftkv/raft-node";
import { RpcError, StatusCode, type UnaryCall } from "@raftkv/raft-rpc";
import type { Refusal } from "../../state/apply-result.ts";

/** Errors as etcd gives them; clients match on code and text. */
export interface EtcdError {
  readonly code: StatusCode;
  readonly message: string;
}

export const etcdErrors = {
  emptyKey: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: key is not provided" },
  keyNotFound: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: key not found" },
  valueProvided: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: value is provided" },
  leaseProvided: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: lease is provided" },
  tooManyOperations: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: too many operations in txn request" },
  duplicateKey: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: duplicate key given in txn request" },
  leaseNotFound: { code: StatusCode.NOT_FOUND, message: "etcdserver: requested lease not found" },
  invalidSort: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: invalid sort option" },
  requestTooLarge: { code: StatusCode.INVALID_ARGUMENT, message: "etcdserver: request is too large" },
  leaseExists: { code: StatusCode.FAILED_PRECONDITION, message: "etcdserver: lease already exists" },
  leaseTooLong: { code: StatusCode.OUT_OF_RANGE, message: "etcdserver: too large lease TTL" },
  noSpace: { code: StatusCode.RESOURCE_EXHAUSTED, message: "etcdserver: mvcc: database space exceeded" },
  corruptCluster: { code: StatusCode.DATA_LOSS, message: "etcdserver: corrupt cluster" },
  notLeader: { code: StatusCode.FAILED_PRECONDITION, message: "etcdserver: not leader" },
  badTransferee: { code: StatusCode.FAILED_PRECONDITION, message: "etcdserver: bad leader transferee" },
  transferTimedOut: { code: StatusCode.UNKNOWN, message: "etcdserver: request timed out, leader transfer took too long" },
  noLeader: { code: StatusCode.UNAVAILABLE, message: "etcdserver: no leader" },
  compacted: { code: StatusCode.OUT_OF_RANGE, message: "etcdserver: mvcc: required revision has been compacted" },
  futureRevision: { code: StatusCode.OUT_OF_RANGE, message: "etcdserver: mvcc: required revision is a future revision" },
  tooManyRequests: { code: StatusCode.RESOURCE_EXHAUSTED, message: "etcdserver: too many requests" },
  timedOut: { code: StatusCode.UNAVAILABLE, message: "etcdserver: request timed out" },
  leaderLost: { code: StatusCode.UNAVAILABLE, message: "etcdserver: request timed out, possibly due to previous leader failure" },
  /** etcd has no such state: a member there ends instead. */
  quarantined: { code: StatusCode.UNAVAILABLE, message: "raftkv: this member can't trust its data and takes no part, ask another one" },
  underRepair: {
    code: StatusCode.UNAVAILABLE,
    message: "raftkv: this member lost entries and does not have all of them again, ask another one",
  },
  stopped: { code: StatusCode.UNAVAILABLE, message: "etcdserver: server stopped" },
} as const satisfies Readonly<Record<string, EtcdError>>;

export function fail(call: UnaryCall, error: EtcdError): void {
  call.fail(error.code, error.message);
}

/** For handlers that throw. `cause`: what was caught, if something was. */
export function rpcError({ code, message }: EtcdError, cause?: NodeError): RpcError {
  return new RpcError(code, message, cause === undefined ? {} : { cause });
}

/** What `work` rejects with when the member could not do it, as clients of etcd are told. */
export async function withEtcdErrors<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof NodeError ? rpcError(etcdErrorOf(error), error) : error;
  }
}

/** What a client of etcd is told when the member could not do it. */
export function etcdErrorOf(error: NodeError): EtcdError {
  switch (error.code) {
    case "ERR_LEADERSHIP_LOST":
      return etcdErrors.leaderLost;
    case "ERR_NO_LEADER":
    case "ERR_TIMED_OUT":
      return etcdErrors.timedOut;
    case "ERR_OVERLOADED":
      return etcdErrors.tooManyRequests;
    case "ERR_QUARANTINED":
      return etcdErrors.quarantined;
    case "ERR_UNDER_REPAIR":
      return etcdErrors.underRepair;
    case "ERR_REFUSED":
      return { code: StatusCode.FAILED_PRECONDITION, message: `raftkv: ${error.message}` };
    case "ERR_FAILED":
    case "ERR_REMOVED":
    case "ERR_STOPPED":
      return etcdErrors.stopped;
    default:
      return error.code satisfies never;
  }
}

/** What a client of etcd is told when its request changed nothing. */
export function refusalError(reason: Refusal): EtcdError {
  switch (reason) {
    case "compacted":
      return etcdErrors.compacted;
    case "corrupt-cluster":
      return etcdErrors.corruptCluster;
    case "future-revision":
      return etcdErrors.futureRevision;
    case "key-not-found":
      return etcdErrors.keyNotFound;
    case "lease-exists":
      return etcdErrors.leaseExists;
    case "lease-not-found":
      return etcdErrors.leaseNotFound;
    case "no-space":
      return etcdErrors.noSpace;
    case "malformed":
    case "result-forgotten":
    case "session-expired":
    case "stale-checkpoint":
    case "stale-expiry":
    case "store-replaced":
    case "too-many-sessions":
    case "unknown-member":
      return { code: StatusCode.INVALID_ARGUMENT, message: `raftkv: the request was refused as ${reason}` };
    default:
      return reason satisfies never;
  }
}
