import type { KVStore } from "@raftkv/kvstore";
import type { MemberDirectory } from "../cluster/member-directory.ts";
import type { AlarmTable } from "./alarm-table.ts";
import { type ClusterState, decodeClusterSection } from "./cluster-section.ts";
import { sectionLengthBytes } from "./state-image.ts";

const sectionBytesMax = 16 * 1024 * 1024;

/** What a state snapshot replaces. */
export interface RestoredParts {
  readonly store: Pick<KVStore, "createRestorer">;
  readonly directory: Pick<MemberDirectory, "replace">;
  readonly alarms: Pick<AlarmTable, "replace">;
}

/** Reads what `StateImage` wrote, in whatever pieces it comes. All parts change together, at the end; throws on malformed bytes. */
export async function restoreState(chunks: AsyncIterable<Uint8Array>, { store, directory, alarms }: RestoredParts): Promise<void> {
  const restorer = store.createRestorer();
  let head: Uint8Array = new Uint8Array(0);
  let cluster: ClusterState | null = null;
  for await (const chunk of chunks) {
    if (cluster !== null) {
      restorer.push(chunk);
      continue;
    }
    head = joined(head, chunk);
    const end = sectionEnd(head);
    if (end === null || head.length < end) continue;
    cluster = decodeClusterSection(head.subarray(sectionLengthBytes, end));
    restorer.push(head.subarray(end));
  }
  if (cluster === null) throw new Error(`State snapshot is cut off after ${head.length} bytes`);
  restorer.finish();
  directory.replace(cluster.members);
  alarms.replace(cluster.alarms);
}

/** Where the cluster section ends, or null while its length has not come. */
function sectionEnd(head: Uint8Array): number | null {
  if (head.length < sectionLengthBytes) return null;
  const length = new DataView(head.buffer, head.byteOffset, head.length).getUint32(0);
  if (length > sectionBytesMax) throw new Error(`Cluster section of ${length} bytes is above the limit ${sectionBytesMax}`);
  return sectionLengthBytes + length;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first, 0);
  both.set(second, first.length);
  return both;
}
