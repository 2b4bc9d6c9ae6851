import { create, etcdserverpb } from "@raftkv/api";
import { methodPath, RpcError } from "@raftkv/raft-rpc";
import type { CallOptions } from "../call-options.ts";
import type { ClientContext } from "../client-context.ts";
import { ClientError } from "../client-error.ts";
import { checkTimeout } from "../client-options.ts";
import type { Endpoint } from "../endpoint.ts";
import type { SnapshotChunk } from "./cluster-types.ts";
import { judge, rejection } from "./etcd-refusal.ts";
import { PulledStream } from "./pulled-stream.ts";

const { snapshot } = etcdserverpb.maintenanceService.methods;
const path = methodPath(etcdserverpb.maintenanceService, snapshot);

/**
 * One snapshot on its way, as fast as it is read, or slower while others write; the member may let `timeoutMs` pass between two chunks.
 * Throws ClientError.
 */
export async function* readSnapshot(
  context: ClientContext,
  endpoint: Endpoint,
  { timeoutMs = context.timeoutMs, signal }: CallOptions,
): AsyncGenerator<SnapshotChunk, void> {
  checkTimeout(timeoutMs);
  context.inFlight.enter();
  let stream: PulledStream | null = null;
  try {
    const request = snapshot.request.encode(create(etcdserverpb.SnapshotRequestSchema));
    stream = new PulledStream(context, endpoint, { path, request, pauseMs: timeoutMs, ...(signal === undefined ? {} : { signal }) });
    for (let message = await stream.next(); message !== null; message = await stream.next()) {
      const { blob, remainingBytes, version } = snapshot.response.decode(message);
      yield { blob, remainingBytes: Number(remainingBytes), version };
    }
  } catch (reason) {
    throw failure(endpoint.address, RpcError.from(reason), signal);
  } finally {
    stream?.cancel();
    context.inFlight.leave();
  }
}

function failure(address: string, error: RpcError, signal: AbortSignal | undefined): ClientError {
  if (signal?.aborted === true) return new ClientError("ERR_ABORTED", "The snapshot was given up by its signal", { cause: signal.reason });
  if (judge(error) === "refused") return rejection("Snapshot", address, error);
  return new ClientError("ERR_UNREACHABLE", `${address} did not send the whole snapshot: ${error.message}`, { cause: error });
}
