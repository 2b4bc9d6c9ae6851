import { type RpcError, StatusCode } from "@raftkv/raft-rpc";
import { ClientError } from "../client-error.ts";

/**
 * What a failed attempt means. "not-applied": certainly not processed, another member may do it. "refused": the server's last word, another
 * member would say the same. "unknown": it may have been processed.
 */
export type Judgement = "not-applied" | "refused" | "unknown";

/** How etcd's refusals begin. */
const etcdPrefix = "etcdserver: ";

/** Refusals that only this member, or only this moment, is the reason of: they are given before anything is proposed. */
const momentaryRefusals: ReadonlySet<string> = new Set([
  "etcdserver: no leader",
  "etcdserver: too many requests",
  "etcdserver: not capable",
]);

const refusingCodes: ReadonlySet<StatusCode> = new Set([
  StatusCode.INVALID_ARGUMENT,
  StatusCode.NOT_FOUND,
  StatusCode.ALREADY_EXISTS,
  StatusCode.PERMISSION_DENIED,
  StatusCode.RESOURCE_EXHAUSTED,
  StatusCode.FAILED_PRECONDITION,
  StatusCode.OUT_OF_RANGE,
  StatusCode.UNIMPLEMENTED,
  StatusCode.DATA_LOSS,
  StatusCode.UNAUTHENTICATED,
]);

export function judge(error: RpcError): Judgement {
  if (error.retryable === "safe" || momentaryRefusals.has(error.message)) return "not-applied";
  return refusingCodes.has(error.code) ? "refused" : "unknown";
}

/** Did a layer below etcd's refuse, here or there: the answer to a write, for it is too large, as well as the call itself? */
export function isOfTransport(error: RpcError): boolean {
  return error.code === StatusCode.RESOURCE_EXHAUSTED && !error.message.startsWith(etcdPrefix);
}

/** The error for what the server refused. */
export function rejection(name: string, address: string, error: RpcError): ClientError {
  const isCompacted = error.code === StatusCode.OUT_OF_RANGE && error.message.endsWith("required revision has been compacted");
  const message = `${address} rejected the ${name}: ${error.codeName}: ${error.message}`;
  return new ClientError(isCompacted ? "ERR_COMPACTED" : "ERR_REJECTED", message, { cause: error });
}
