import type { SimulatedDisk } from "../disk/simulated-disk.ts";
import type { SeededRandom } from "../timeline/seeded-random.ts";
import { metaCopyBytes, metaPairs, metaPath } from "./meta-view.ts";

/** What a fault may hit: a log segment, a snapshot, or one of the copies of the meta file. */
export type DataPart = "segment" | "snapshot" | "meta copy";

const shapes = ["bit flip", "sector", "page", "truncation", "removal"] as const;
export type FaultShape = (typeof shapes)[number];

const directories = { segment: { path: "/data/wal", suffix: ".wal" }, snapshot: { path: "/data/snap", suffix: ".snap" } } as const;
const pageBytes = 4_096;
const sectorBytes = 512;

/** Lets one fault happen to the disk of a member that is down, where something was written. Says what it was. */
export function strike(disk: SimulatedDisk, part: DataPart, random: SeededRandom): FaultShape {
  if (part === "meta copy") return overwrite(disk, metaPath, { from: random.pick(metaPairs.flat()), length: metaCopyBytes }, random);
  const { path: directory, suffix } = directories[part];
  // A file that an earlier fault cut off, and that nobody needs, may still be there.
  const isStruck = (name: string): boolean => name.endsWith(suffix) && disk.fileAt(`${directory}/${name}`).sizeBytes > pageBytes;
  const name = random.pick(disk.directoryAt(directory).sortedNames.filter(isStruck));
  const path = `${directory}/${name}`;
  const shape = random.pick(shapes);
  const sector = usedSector(disk.contentOf(path), random);
  switch (shape) {
    case "bit flip":
      flipBit(disk, path, sector + random.below(sectorBytes), random);
      return shape;
    case "sector":
      return overwrite(disk, path, { from: sector, length: sectorBytes }, random);
    case "page":
      overwrite(disk, path, { from: sector - (sector % pageBytes), length: pageBytes }, random);
      return shape;
    case "truncation":
      disk.fileAt(path).truncate(sector + random.below(sectorBytes));
      return shape;
    case "removal":
      disk.directoryAt(directory).remove(name);
      return shape;
  }
}

/** All copies of the meta file are overwritten: term and vote are gone. */
export function loseMeta(disk: SimulatedDisk): void {
  disk.damage(metaPath, 0, new Uint8Array(disk.fileAt(metaPath).sizeBytes));
}

/** Where one of the sectors begins that hold something. */
function usedSector(bytes: Uint8Array, random: SeededRandom): number {
  const sectors = Array.from({ length: Math.floor(bytes.length / sectorBytes) }, (_, sector) => sector * sectorBytes);
  return random.pick(sectors.filter((from) => bytes.subarray(from, from + sectorBytes).some((byte) => byte !== 0)));
}

function flipBit(disk: SimulatedDisk, path: string, offset: number, random: SeededRandom): void {
  const [byte = 0] = disk.fileAt(path).read(offset, 1);
  disk.damage(path, offset, Uint8Array.of(byte ^ (1 << random.below(8))));
}

function overwrite(
  disk: SimulatedDisk,
  path: string,
  { from, length }: { readonly from: number; readonly length: number },
  random: SeededRandom,
): FaultShape {
  const count = Math.min(length, disk.fileAt(path).sizeBytes - from);
  const content = random.pick(["zeros", "ones", "rubbish"] as const);
  const bytes = content === "rubbish" ? random.bytes(count) : new Uint8Array(count).fill(content === "zeros" ? 0 : 0xff);
  disk.damage(path, from, bytes);
  return "sector";
}
