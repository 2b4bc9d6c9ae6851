import type { KVStore } from "@raftkv/kvstore";
import type { Member, MemberDirectory } from "../cluster/member-directory.ts";
import { decodeClusterSection } from "./cluster-section.ts";
import { sectionLengthBytes } from "./state-image.ts";

const sectionBytesMax = 16 * 1024 * 1024;

/** Reads what `StateImage` wrote, in whatever pieces it comes. Store and directory change together, at the end; throws on malformed bytes. */
export async function restoreState(chunks: AsyncIterable<Uint8Array>, store: KVStore, directory: MemberDirectory): Promise<void> {
  const restorer = store.createRestorer();
  let head: Uint8Array = new Uint8Array(0);
  let members: readonly Member[] | null = null;
  for await (const chunk of chunks) {
    if (members !== null) {
      restorer.push(chunk);
      continue;
    }
    head = joined(head, chunk);
    const end = sectionEnd(head);
    if (end === null || head.length < end) continue;
    members = decodeClusterSection(head.subarray(sectionLengthBytes, end));
    restorer.push(head.subarray(end));
  }
  if (members === null) throw new Error(`State snapshot is cut off after ${head.length} bytes`);
  restorer.finish();
  directory.replace(members);
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
