import { RpcError, StatusCode } from "@raftkv/raft-rpc";

/** An error of etcd's Lock and Election services: these have no codes, only texts. */
export function lockError(message: string, cause?: unknown): RpcError {
  return new RpcError(StatusCode.UNKNOWN, message, { cause });
}

/** What `work` rejects with, as clients of Lock and Election are told: the same text, and no code. */
export async function withLockErrors<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof RpcError ? lockError(error.message, error) : error;
  }
}
