import { type KVSnapshot, snapshotChunkBytes } from "@raftkv/kvstore";
import type { LogIndex } from "@raftkv/raft-core";
import type { Clock, StateSnapshot } from "@raftkv/raft-node";
import { nextTurn } from "../next-turn.ts";
import { type ClusterState, encodeClusterSection } from "./cluster-section.ts";

/** Bytes of the length in front of the cluster section. */
export const sectionLengthBytes = 4;

/**
 * The bytes of a state snapshot:
 *
 *     +----------------+---------------------------+-------------------- - -
 *     | length (4, BE) | ClusterSection (protobuf) | keys, as kvstore has them
 *     +----------------+---------------------------+-------------------- - -
 */
export class StateImage implements StateSnapshot {
  readonly index: LogIndex;
  private readonly cluster: ClusterState;
  private readonly keys: KVSnapshot;
  private readonly clock: Clock | null;

  /** Without a clock all chunks may come in one turn of the event loop. */
  constructor(index: LogIndex, parts: { readonly cluster: ClusterState; readonly keys: KVSnapshot; readonly clock: Clock | null }) {
    this.index = index;
    this.cluster = parts.cluster;
    this.keys = parts.keys;
    this.clock = parts.clock;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    const section = encodeClusterSection(this.cluster);
    const head = new Uint8Array(sectionLengthBytes + section.length);
    new DataView(head.buffer).setUint32(0, section.length);
    head.set(section, sectionLengthBytes);
    yield head;
    const memory = new Uint8Array(snapshotChunkBytes);
    for (let chunk = this.keys.nextChunk(memory); chunk !== null; chunk = this.keys.nextChunk(memory)) {
      yield chunk;
      // One that is not full has taken its time all the same, and whoever writes to a disk may not have waited for it.
      if (this.clock !== null && chunk.length < snapshotChunkBytes) await nextTurn(this.clock);
    }
  }

  close(): void {
    this.keys.close();
  }
}
