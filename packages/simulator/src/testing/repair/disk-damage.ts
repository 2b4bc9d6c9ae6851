import type { SimulatedDisk } from "../../disk/simulated-disk.ts";
import type { SeededRandom } from "../../timeline/seeded-random.ts";
import { metaPath } from "../meta-view.ts";
import { type DamagedPart, type DamageTarget, drawTarget, walDirectory } from "./damage-target.ts";
import { isUnproven } from "./unproven-pages.ts";

const fills = ["zeros", "ones", "random", "stale", "neighbour"] as const;
type Fill = (typeof fills)[number];
export type DamageShape = Fill | "truncated" | "removed";

/** What was done to a file of a member. */
export interface Damage {
  readonly part: DamagedPart;
  readonly shape: DamageShape;
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

const sectorBytes = 512;
const blockSizes = [sectorBytes, 4_096] as const;
/** One damage in so many takes the end of a file or all of it instead of a block. */
const wholeOneIn = 4;
const attemptsMax = 8;

interface DamagedDisk {
  readonly disk: SimulatedDisk;
  readonly earlierMeta: Uint8Array;
}

/**
 * Damages a block or a file of a member that is down, as one fault of its disk would. Null if there is nothing of that kind.
 * `earlierMeta` is what the meta file held some time ago.
 */
export function damageDisk(
  disk: SimulatedDisk,
  part: DamagedPart,
  random: SeededRandom,
  earlierMeta: Uint8Array = new Uint8Array(0),
): Damage | null {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const target = drawTarget(disk, part, random);
    const damage = target === null ? null : damageTarget({ disk, earlierMeta }, target, random);
    if (damage !== null) return damage;
  }
  return null;
}

function damageTarget(damaged: DamagedDisk, target: DamageTarget, random: SeededRandom): Damage | null {
  const { disk } = damaged;
  if (random.oneIn(wholeOneIn)) return random.oneIn(2) ? truncate(disk, target, random) : remove(disk, target);
  if (target.part === "meta") return overwriteAll(disk, target, random);
  return overwriteBlock(damaged, target, random);
}

/** The file ends somewhere in the part. */
function truncate(disk: SimulatedDisk, { part, path, from, end }: DamageTarget, random: SeededRandom): Damage {
  const offset = from + random.below(part === "segment" || part === "snapshot" ? end - from : sectorBytes);
  const file = disk.fileAt(path);
  // A copy that another one follows can't be cut off alone.
  const isFollowed = part === "metaCopy" && end < file.sizeBytes;
  if (isFollowed) return overwrite(disk, { part, path, offset: from, shape: "zeros" }, new Uint8Array(sectorBytes));
  file.truncate(offset);
  file.endSync(file.beginSync());
  return { part, shape: "truncated", path, offset, bytes: 0 };
}

function remove(disk: SimulatedDisk, { part, path }: DamageTarget): Damage | null {
  if (part === "metaCopy") return null;
  const { directory, name } = disk.parentOf(path);
  directory.remove(name);
  const endSync = directory.beginSync();
  endSync();
  return { part, shape: "removed", path, offset: 0, bytes: 0 };
}

function overwriteAll(disk: SimulatedDisk, { part, path }: DamageTarget, random: SeededRandom): Damage {
  const shape = random.pick(["zeros", "ones", "random"] as const);
  const { sizeBytes } = disk.fileAt(path);
  return overwrite(disk, { part, path, offset: 0, shape }, plainFill(shape, sizeBytes, random));
}

/** Null where nobody could tell the damage from a write that never happened. */
function overwriteBlock(damaged: DamagedDisk, { part, path, from, end }: DamageTarget, random: SeededRandom): Damage | null {
  const { disk } = damaged;
  const blockBytes = random.pick(blockSizes);
  const offset = from + blockBytes * random.below(Math.ceil((end - from) / blockBytes));
  const file = disk.fileAt(path);
  const before = file.read(offset, blockBytes);
  if (before.length === 0) return null;
  const shape = random.pick(fills);
  const bytes =
    shape === "stale" || shape === "neighbour"
      ? foreignFill(damaged, { path, offset, shape }, before.length)
      : plainFill(shape, before.length, random);
  if (bytes.length < before.length) return null;
  if (part === "segment" && hasLostSector(bytes) && isUnproven(disk, path, offset)) return null;
  return overwrite(disk, { part, path, offset, shape }, bytes);
}

function overwrite(disk: SimulatedDisk, damage: Omit<Damage, "bytes">, bytes: Uint8Array): Damage {
  const file = disk.fileAt(damage.path);
  file.damage(damage.offset, bytes);
  // Or a loss of power would undo it where a write was under way.
  file.endSync(file.beginSync());
  return { ...damage, bytes: bytes.length };
}

function plainFill(shape: "zeros" | "ones" | "random", length: number, random: SeededRandom): Uint8Array {
  if (shape === "random") return random.bytes(length);
  return new Uint8Array(length).fill(shape === "zeros" ? 0 : 0xff);
}

interface ForeignBlock {
  readonly path: string;
  readonly offset: number;
  readonly shape: "stale" | "neighbour";
}

/** What stands after the block, or what stood there: in the meta file itself, or in an older segment, for a block that was never written. */
function foreignFill({ disk, earlierMeta }: DamagedDisk, { path, offset, shape }: ForeignBlock, length: number): Uint8Array {
  if (shape === "neighbour") return disk.fileAt(path).read(offset + length, length);
  if (path === metaPath) return earlierMeta.subarray(offset, offset + length);
  const { directory, name } = disk.parentOf(path);
  const older = directory.sortedNames.findLast((other) => other < name && path.startsWith(walDirectory));
  if (older === undefined) return new Uint8Array(length);
  return disk.fileAt(`${walDirectory}/${older}`).read(offset, length);
}

/** A sector of zeros, where a frame may have stood. */
function hasLostSector(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += sectorBytes) {
    if (bytes.subarray(at, at + sectorBytes).every((byte) => byte === 0)) return true;
  }
  return false;
}
