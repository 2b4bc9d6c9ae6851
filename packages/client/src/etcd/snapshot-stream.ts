import { create, etcdserverpb } from "@raftkv/api";
import { type ClientStreamCall, methodPath, RpcError } from "@raftkv/raft-rpc";
import type { CallOptions } from "../call-options.ts";
import type { ClientContext } from "../client-context.ts";
import { ClientError } from "../client-error.ts";
import type { Endpoint } from "../endpoint.ts";
import type { SnapshotChunk } from "./cluster-types.ts";
import { judge, rejection } from "./etcd-refusal.ts";

const { snapshot } = etcdserverpb.maintenanceService.methods;
const path = methodPath(etcdserverpb.maintenanceService, snapshot);

type Arrival = { readonly kind: "chunk"; readonly bytes: Uint8Array } | { readonly kind: "end"; readonly error: RpcError | null };

/** One snapshot on its way. The stream stands still while a chunk waits to be read. Throws ClientError. */
export async function* readSnapshot(
  context: ClientContext,
  endpoint: Endpoint,
  { timeoutMs = context.timeoutMs, signal }: CallOptions,
): AsyncGenerator<SnapshotChunk, void> {
  context.inFlight.enter();
  const arrivals: Arrival[] = [];
  let wake = (): void => undefined;
  const arrived = (arrival: Arrival): void => {
    arrivals.push(arrival);
    wake();
  };
  const call: ClientStreamCall = context.connections.stream(endpoint, {
    path,
    connectMs: timeoutMs,
    handlers: {
      onMetadata: () => undefined,
      onMessage: (bytes) => {
        call.pause();
        arrived({ kind: "chunk", bytes });
      },
      onDrain: () => undefined,
      onClose: (error) => arrived({ kind: "end", error }),
    },
  });
  const onAbort = (): void => call.cancel();
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted === true) call.cancel();
  call.send(snapshot.request.encode(create(etcdserverpb.SnapshotRequestSchema)));
  call.end();
  try {
    for (;;) {
      const arrival = arrivals.shift();
      if (arrival === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
      } else if (arrival.kind === "chunk") {
        const { blob, remainingBytes, version } = snapshot.response.decode(arrival.bytes);
        yield { blob, remainingBytes: Number(remainingBytes), version };
        call.resume();
      } else {
        if (arrival.error !== null) throw failure(endpoint.address, arrival.error, signal);
        return;
      }
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    call.cancel();
    context.inFlight.leave();
  }
}

function failure(address: string, error: RpcError, signal: AbortSignal | undefined): ClientError {
  if (signal?.aborted === true) return new ClientError("ERR_ABORTED", "The snapshot was given up by its signal", { cause: signal.reason });
  if (judge(error) === "refused") return rejection("Snapshot", address, error);
  return new ClientError("ERR_UNREACHABLE", `${address} did not send the whole snapshot: ${error.message}`, { cause: error });
}
