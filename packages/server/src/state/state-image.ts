import type { KVSnapshot } from "@raftkv/kvstore";
import type { LogIndex } from "@raftkv/raft-core";
import type { StateSnapshot } from "@raftkv/raft-node";
import type { Member } from "../cluster/member-directory.ts";
import { encodeClusterSection } from "./cluster-section.ts";

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
  private readonly members: readonly Member[];
  private readonly keys: KVSnapshot;

  constructor(index: LogIndex, members: readonly Member[], keys: KVSnapshot) {
    this.index = index;
    this.members = members;
    this.keys = keys;
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    const section = encodeClusterSection(this.members);
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
