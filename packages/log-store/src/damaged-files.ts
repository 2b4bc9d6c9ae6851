import { type Disk, DiskError, type Logger } from "@raftkv/raft-node";
import type { DataDirectory } from "./data-directory.ts";
import { hex16 } from "./format.ts";
import { placeSmallFile, readSmallFile } from "./small-file.ts";

/** Sets of files kept: those of the newest cases. */
const SETS_MAX = 4;
/** What is read of a decision file. */
const DECISION_BYTES_MAX = 16 * 1024;
const DECISION_NAME = /^[0-9a-f]{16}-decision\.txt$/;
/** What this module puts into `damaged/`. All else there is somebody else's. */
const OWN_NAME = /^[0-9a-f]{16}-(decision\.(txt|tmp)|[0-9a-f]{16}\.wal|[0-9a-f]{16}-[0-9a-f]{16}\.snap)$/;

/** One start that takes files out of service. */
export interface DamageCase {
  /** Boot generation of that start: it names the set. */
  readonly start: number;
  /** One line: what was found. */
  readonly description: string;
  /** Rows of the decision tables. */
  readonly decision: string;
  /** First log index that this start found to be lost, null if nothing is. */
  readonly lostFrom: number | null;
  /** Paths in `wal/` and `snap/`. */
  readonly files: readonly string[];
}

/**
 * Writes down why files are about to be taken out of service, and makes room for them. What stands in `damaged/` is for people and never
 * keeps a member from starting: only a directory that can't be synced throws.
 * ```
 * damaged/0000000000000007-decision.txt                  why
 * damaged/0000000000000007-0000000000000003.wal          what was in wal/ or snap/
 * ```
 */
export async function recordDamage(disk: Disk, { root, damaged }: DataDirectory, logger: Logger, damage: DamageCase): Promise<void> {
  const set = hex16(damage.start);
  const decision = { name: `${set}-decision.txt`, tempName: `${set}-decision.tmp`, bytes: encodeDecision(damage) };
  // Whatever is wrong shows in the listing; mostly it is only there already.
  await orNull(() => disk.makeDirectory(damaged));
  const names = await orWarn(logger, damaged, () => disk.list(damaged));
  if (names === null) return;
  await disk.syncDirectory(root);
  await removeOldSets(disk, { damaged, names, set }, logger);
  if (names.includes(decision.tempName)) await orWarn(logger, damaged, () => disk.remove(`${damaged}/${decision.tempName}`));
  await orWarn(logger, `${damaged}/${decision.name}`, () => placeSmallFile(disk, damaged, decision));
  await disk.syncDirectory(damaged);
}

/** Moves files out of service, unchanged. It costs space, not data, if one can't be moved: nothing leads to it any more. */
export async function moveDamaged(disk: Disk, directory: DataDirectory, logger: Logger, damage: DamageCase): Promise<void> {
  const { damaged, wal, snap } = directory;
  const set = hex16(damage.start);
  const moved: string[] = [];
  for (const path of damage.files) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const move = async (): Promise<void> => {
      await disk.rename(path, `${damaged}/${set}-${name}`);
      moved.push(path);
    };
    await orNull(move, (reason) => logger.warn("a damaged file could not be moved away", { path, reason: reason.message }));
  }
  if (moved.length === 0) return;
  for (const path of [damaged, wal, snap]) await disk.syncDirectory(path);
  logger.warn("damaged files are out of service", { directory: damaged, set, files: moved.join(" ") });
}

/** What is known of a loss that an earlier start found, with log index `lostFrom` as the first that is lost. */
export async function readEarlierLoss(disk: Disk, { damaged }: DataDirectory, lostFrom: number): Promise<string> {
  const names = (await orNull(() => disk.list(damaged))) ?? [];
  for (const name of names.filter((candidate) => DECISION_NAME.test(candidate)).reverse()) {
    const bytes = await orNull(() => readSmallFile(disk, `${damaged}/${name}`, DECISION_BYTES_MAX));
    const [description, , loss] = new TextDecoder().decode(bytes ?? new Uint8Array(0)).split("\n");
    if (description && loss === lossLine(lostFrom)) return description;
  }
  return `An earlier start found entries from log index ${lostFrom} on to be lost`;
}

/** The first line is the description; the third one tells which loss it is about, if any. */
function encodeDecision({ start, description, decision, lostFrom, files }: DamageCase): Uint8Array {
  const loss = lostFrom === null ? [] : [lossLine(lostFrom)];
  const lines = [description.replaceAll("\n", " "), `found at start ${start}, decision ${decision}`, ...loss, ...files];
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

function lossLine(lostFrom: number): string {
  return `lost from log index ${lostFrom}`;
}

/** Leaves room for one more set, `set`. */
async function removeOldSets(
  disk: Disk,
  { damaged, names, set }: { readonly damaged: string; readonly names: readonly string[]; readonly set: string },
  logger: Logger,
): Promise<void> {
  const own = names.filter((name) => OWN_NAME.test(name));
  const others = [...new Set(own.map((name) => name.slice(0, set.length)))].filter((other) => other !== set).sort();
  const old = others.slice(0, Math.max(0, others.length - (SETS_MAX - 1)));
  for (const name of own.filter((candidate) => old.includes(candidate.slice(0, set.length)))) {
    await orWarn(logger, `${damaged}/${name}`, () => disk.remove(`${damaged}/${name}`));
  }
}

/** Null, and a warning, if the disk refuses. */
async function orWarn<T>(logger: Logger, path: string, run: () => Promise<T>): Promise<T | null> {
  return orNull(run, (reason) => logger.warn("the directory of damaged files could not be put in order", { path, reason: reason.message }));
}

async function orNull<T>(run: () => Promise<T>, tell: (reason: DiskError) => void = () => {}): Promise<T | null> {
  try {
    return await run();
  } catch (reason) {
    if (!(reason instanceof DiskError)) throw reason;
    tell(reason);
    return null;
  }
}
