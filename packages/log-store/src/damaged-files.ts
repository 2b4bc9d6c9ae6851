import { type Disk, DiskError, type DiskErrorCode, type Logger } from "@raftkv/raft-node";
import { type DataDirectory, listIfThere, makeDirectories } from "./data-directory.ts";
import { hex16 } from "./format.ts";
import { readSmallFile, replaceSmallFile } from "./small-file.ts";

/** Sets of files kept: those of the newest cases. */
const SETS_MAX = 4;
/** Above it older sets go; the newest one stays whatever its size, because it cost no space to move it. */
const BYTES_MAX = 1024 * 1024 * 1024;
/** What is read of a decision file. */
const DECISION_BYTES_MAX = 16 * 1024;
const DECISION_NAME = /^[0-9a-f]{16}-decision\.txt$/;

/** One start that took files out of service. */
export interface DamageCase {
  /** Boot generation of that start: it names the set. */
  readonly start: number;
  /** One line: what was found. */
  readonly description: string;
  /** Rows of the decision tables. */
  readonly decision: string;
  /** Paths in `wal/` and `snap/`. */
  readonly files: readonly string[];
}

/**
 * Moves files out of service, unchanged, for people to look at; nothing here reads them again.
 * ```
 * damaged/0000000000000007-decision.txt                  why, written first
 * damaged/0000000000000007-0000000000000003.wal          what was in wal/ or snap/
 * ```
 * It costs space, not data, if there is no space for the reason or a file can't be moved: nothing leads to it any more.
 */
export async function moveDamaged(disk: Disk, directory: DataDirectory, logger: Logger, damage: DamageCase): Promise<void> {
  const { damaged } = directory;
  const set = hex16(damage.start);
  await makeDirectories(disk, damaged);
  await removeOldSets(disk, directory);
  const decision = { name: `${set}-decision.txt`, tempName: `${set}-decision.tmp`, bytes: encodeDecision(damage) };
  await orWarn(logger, `${damaged}/${decision.name}`, ["no-space"], () => replaceSmallFile(disk, damaged, decision));
  for (const path of damage.files) {
    await orWarn(logger, path, ["no-space", "permission", "io"], () => disk.rename(path, `${damaged}/${set}-${nameIn(path)}`));
  }
  for (const path of [damaged, directory.wal, directory.snap]) await disk.syncDirectory(path);
  logger.warn("damaged files are out of service", { directory: damaged, set, files: damage.files.join(" ") });
}

async function orWarn(logger: Logger, path: string, codes: readonly DiskErrorCode[], move: () => Promise<void>): Promise<void> {
  try {
    await move();
  } catch (reason) {
    if (!(reason instanceof DiskError && codes.includes(reason.code))) throw reason;
    logger.warn("a damaged file could not be moved away", { path, reason: reason.message });
  }
}

/** What was found when files were last taken out of service; null if that is not known. */
export async function readLastDamage(disk: Disk, directory: DataDirectory): Promise<string | null> {
  const name = (await listIfThere(disk, directory.damaged)).findLast((candidate) => DECISION_NAME.test(candidate));
  if (name === undefined) return null;
  try {
    const text = new TextDecoder().decode(await readSmallFile(disk, `${directory.damaged}/${name}`, DECISION_BYTES_MAX));
    return text.split("\n")[0] || null;
  } catch (reason) {
    if (reason instanceof DiskError) return null;
    throw reason;
  }
}

/** The first line is the description. */
function encodeDecision({ start, description, decision, files }: DamageCase): Uint8Array {
  const lines = [description.replaceAll("\n", " "), `found at start ${start}, decision ${decision}`, ...files];
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

/** Leaves room for one more set. */
async function removeOldSets(disk: Disk, { damaged }: DataDirectory): Promise<void> {
  const names = await disk.list(damaged);
  const sets = [...new Set(names.map((name) => name.slice(0, 16)))].sort().reverse();
  let bytes = 0;
  for (const [at, set] of sets.entries()) {
    const files = names.filter((name) => name.startsWith(set));
    for (const name of files) bytes += await sizeOf(disk, `${damaged}/${name}`);
    if (at < SETS_MAX - 1 && bytes <= BYTES_MAX) continue;
    for (const name of files) await disk.remove(`${damaged}/${name}`);
  }
}

async function sizeOf(disk: Disk, path: string): Promise<number> {
  const file = await disk.open(path, "read");
  try {
    return await file.sizeBytes();
  } finally {
    await file.close();
  }
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
