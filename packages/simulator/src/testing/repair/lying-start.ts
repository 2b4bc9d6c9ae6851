import { openLogStore, readIdentity } from "@raftkv/log-store";
import type { SimulatedCluster } from "../../cluster/simulated-cluster.ts";
import type { SimulatedDisk } from "../../disk/simulated-disk.ts";
import type { SimulatedNode } from "../../simulated-node.ts";
import { metaCopyBytes, metaPairs, metaPath } from "../meta-view.ts";
import { walDirectory } from "./damage-target.ts";
import { pageStarts } from "./page-starts.ts";

/**
 * What members say that were damaged, for those who want to know whether a lie would be noticed. `nothing lost`: their repair ends before
 * it begins, and nobody is told of it. `never voted`: a meta file that is gone is made anew.
 */
export type Lie = "none" | "nothing lost" | "never voted";

const dataDirectory = "/data";
const checksumAt = 8;
const checksummedFrom = 12;
const termAt = 40;
const voteAt = 48;

/** What is lost is forgotten before the member begins: it never is under repair. To be called in a run. */
export async function startWithoutRepair(cluster: SimulatedCluster, node: SimulatedNode): Promise<void> {
  const ports = node.start();
  const identity = await readIdentity(ports.disk, dataDirectory);
  if (identity !== null) {
    const store = await openLogStore({ ...ports, directory: dataDirectory, identity });
    if (store.recovered.lost !== null) await store.endRepair();
    await store.close();
  }
  cluster.crash(node);
  await cluster.start(node);
}

/** A meta file is made anew from `lostMeta`, what it was, but without a vote and in the term that the log ends with. To be called in a run. */
export async function startWithForgottenVote(cluster: SimulatedCluster, node: SimulatedNode, lostMeta: Uint8Array): Promise<void> {
  const { disk } = node.start();
  const names = await disk.list(dataDirectory);
  if (names.includes("meta")) await disk.remove(metaPath);
  const file = await disk.open(metaPath, "create");
  await file.write(0, [forgetful(lostMeta, highestTerm(node.disk))]);
  await file.sync();
  await disk.syncDirectory(dataDirectory);
  cluster.crash(node);
  await cluster.start(node);
}

function forgetful(meta: Uint8Array, term: bigint): Uint8Array {
  const bytes = meta.slice();
  for (const offset of metaPairs.flat()) {
    const copy = bytes.subarray(offset, offset + metaCopyBytes);
    const view = new DataView(bytes.buffer, offset, metaCopyBytes);
    view.setBigUint64(termAt, term, true);
    view.setBigUint64(voteAt, 0n, true);
    view.setUint32(checksumAt, crc32c(copy.subarray(checksummedFrom)), true);
  }
  return bytes;
}

/** Of the frames that pages begin with. */
function highestTerm(disk: SimulatedDisk): bigint {
  let highest = 0n;
  for (const name of disk.directoryAt(walDirectory).sortedNames) {
    for (const { term } of pageStarts(disk, `${walDirectory}/${name}`)) if (term > highest) highest = term;
  }
  return highest;
}

/** Bit by bit: it is short, and what it is for happens seldom. */
function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
