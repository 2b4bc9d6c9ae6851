import type { SimulatedDisk } from "../../disk/simulated-disk.ts";
import type { SeededRandom } from "../../timeline/seeded-random.ts";
import { metaCopyBytes, metaPairs, metaPath } from "../meta-view.ts";

export const walDirectory = "/data/wal";
export const snapDirectory = "/data/snap";

/** What is damaged: a segment of the log, a snapshot, one copy of the meta file, or the whole of that. */
export type DamagedPart = "segment" | "snapshot" | "metaCopy" | "meta";

/** A part of a member's disk. */
export interface DamageTarget {
  readonly part: DamagedPart;
  readonly path: string;
  /** Which bytes of the file may be damaged: those that hold something, and a little beyond. */
  readonly from: number;
  readonly end: number;
}

const pageBytes = 4_096;
const segmentHeaderBytes = 2 * pageBytes;
/** How far beyond what a file holds damage may hit. */
const slackBytes = 2 * pageBytes;
/** The end of what a file holds. */
const lastBytes = 6 * pageBytes;

/** Draws a file or a part of one, null if the disk has none of that kind. */
export function drawTarget(disk: SimulatedDisk, part: DamagedPart, random: SeededRandom): DamageTarget | null {
  switch (part) {
    case "segment":
      return drawFile(disk, { part, directory: walDirectory, nameEnd: ".wal" }, random);
    case "snapshot":
      return drawFile(disk, { part, directory: snapDirectory, nameEnd: ".snap" }, random);
    case "meta":
      return { part, path: metaPath, from: 0, end: disk.fileAt(metaPath).sizeBytes };
    case "metaCopy":
      return drawMetaCopy(disk, random);
  }
}

interface Folder {
  readonly part: DamagedPart;
  readonly directory: string;
  readonly nameEnd: string;
}

/** The newest file that is in use holds what was acknowledged last; as often it is any, and its end is as likely as the rest of it. */
function drawFile(disk: SimulatedDisk, { part, directory, nameEnd }: Folder, random: SeededRandom): DamageTarget | null {
  const names = disk.directoryAt(directory).sortedNames.filter((name) => name.endsWith(nameEnd));
  const paths = names.map((name) => `${directory}/${name}`);
  const newest = paths.findLast((path) => usedBytes(disk, path) > segmentHeaderBytes) ?? paths.at(-1);
  if (newest === undefined) return null;
  const path = random.oneIn(2) ? newest : random.pick(paths);
  const used = usedBytes(disk, path);
  const end = Math.min(disk.fileAt(path).sizeBytes, used + slackBytes);
  if (end === 0) return null;
  return { part, path, from: random.oneIn(2) ? Math.max(0, wholePages(used) - lastBytes) : 0, end };
}

function usedBytes(disk: SimulatedDisk, path: string): number {
  return disk.contentOf(path).findLastIndex((byte) => byte !== 0) + 1;
}

function wholePages(bytes: number): number {
  return bytes - (bytes % pageBytes);
}

/** While the copies of a pair differ, one of them was being written when the member stopped, and the other is all there is. */
function drawMetaCopy(disk: SimulatedDisk, random: SeededRandom): DamageTarget | null {
  const bytes = disk.contentOf(metaPath);
  const pair = random.pick(metaPairs);
  const [first, second] = pair.map((offset) => bytes.subarray(offset, offset + metaCopyBytes));
  if (first === undefined || !first.every((byte, at) => second?.[at] === byte)) return null;
  const from = random.pick(pair);
  return { part: "metaCopy", path: metaPath, from, end: from + pageBytes };
}
