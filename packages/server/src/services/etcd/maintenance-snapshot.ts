import { create, etcdserverpb } from "@raftkv/api";
import type { Clock } from "@raftkv/raft-node";
import { type CallContext, RpcError, StatusCode } from "@raftkv/raft-rpc";
import { SnapshotFileWriter } from "../../snapshot-file/snapshot-file-writer.ts";
import type { ServiceContext } from "../service-context.ts";

/** As etcd's. */
const blobBytesMax = 32 * 1024;
/** Each keeps the member from giving compacted memory back. */
const streamsMax = 4;

/** `Maintenance.Snapshot`: the state of this member as a file, in blobs. */
export class SnapshotStreams {
  private readonly context: ServiceContext;
  private readonly clock: Clock;
  private running = 0;

  constructor(context: ServiceContext, clock: Clock) {
    this.context = context;
    this.clock = clock;
  }

  async *stream(call: CallContext): AsyncGenerator<etcdserverpb.SnapshotResponse> {
    if (this.running >= streamsMax) {
      throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, `raftkv: ${streamsMax} snapshots are being sent already, try again later`);
    }
    const { node, state, clusterId, memberId, counts } = this.context;
    const startMs = this.clock.monotonicMs();
    const { applied: index, term } = node.status();
    const writer = new SnapshotFileWriter({ state, origin: { clusterId, memberId, index, term }, clock: this.clock });
    this.running++;
    try {
      let remaining = writer.dataBytesEstimate;
      for await (const piece of writer.pieces()) {
        for (let at = 0; at < piece.length && !call.cancelled; at += blobBytesMax) {
          const blob = piece.subarray(at, at + blobBytesMax);
          // However far off the estimate is: nothing remains only behind the state.
          remaining = writer.isStateWritten ? 0 : Math.max(1, remaining - blob.length);
          yield create(etcdserverpb.SnapshotResponseSchema, { remainingBytes: BigInt(remaining), blob });
        }
        if (call.cancelled) return;
      }
      counts.snapshots.observe((this.clock.monotonicMs() - startMs) / 1_000);
    } finally {
      this.running--;
      writer.close();
    }
  }
}
