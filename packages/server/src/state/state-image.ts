import type { KVSnapshot } from "@raftkv/kvstore";
import type { LogIndex } from "@raftkv/raft-core";
import type { StateSnapshot } from "@raftkv/raft-node";
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

  constructor(index: LogIndex, cluster: ClusterState, keys: KVSnapshot) {
    this.index = index;
    this.cluster = cluster;
    this.keys = keys;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    const section = encodeClusterSection(this.cluster);
    const head = new Uint8Array(sectionLengthBytes + section.length);
    new DataView(head.buffer).setUint32(0, section.length);
    head.set(section, sectionLengthBytes);
    yield head;
    for (let chunk = this.keys.nextChunk(); chunk !== null; chunk = this.keys.nextChunk()) yield chunk;
  }

  close(): void {
    this.keys.close();
  }
}
