import type { LogEntry } from "@raftkv/raft-core";
import type { Disk } from "@raftkv/raft-node";
import type { DataDirectory } from "./data-directory.ts";
import type { EntryRun } from "./entry-run.ts";
import type { Identity } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import type { RunPart } from "./recovered-entries.ts";
import { readSegment } from "./segment-reading.ts";
import { runsOf } from "./segment-scan.ts";

/**
 * The entries of parts of a log, part by part: those that were released are read and checked once more, a segment at a time. Throws
 * `ERR_DATA_DAMAGED` if the disk does not give again what it gave before.
 */
export async function* readParts(
  disk: Disk,
  directory: DataDirectory,
  identity: Identity,
  parts: readonly RunPart[],
): AsyncGenerator<readonly LogEntry[], undefined> {
  let segment = 0;
  let runs: ReadonlyMap<number, EntryRun> = new Map();
  for (const { run, from, to } of parts) {
    if (run.isReleased && run.place.segment !== segment) {
      segment = run.place.segment;
      runs = await runsByOffset(disk, directory, identity, segment);
    }
    const held = run.isReleased ? sameRun(run, runs.get(run.place.offset), directory) : run;
    yield [...held.entries(from, to)];
  }
}

async function runsByOffset(
  disk: Disk,
  directory: DataDirectory,
  identity: Identity,
  number: number,
): Promise<ReadonlyMap<number, EntryRun>> {
  try {
    const found = await readSegment(disk, directory, identity, number);
    if ("problem" in found) throw new LogStoreError("ERR_DATA_DAMAGED", `${found.path} ${found.problem}, and was sound a moment ago`);
    return new Map(runsOf(found.scan.batches).map((run) => [run.place.offset, run]));
  } catch (reason) {
    throw LogStoreError.from(reason, `read ${directory.segment(number)} once more`);
  }
}

function sameRun(released: EntryRun, found: EntryRun | undefined, directory: DataDirectory): EntryRun {
  const { place, firstIndex, lastIndex } = released;
  const isSame =
    found?.firstIndex === firstIndex && found.lastIndex === lastIndex && found.termAt(lastIndex) === released.termAt(lastIndex);
  if (isSame) return found;
  throw new LogStoreError(
    "ERR_DATA_DAMAGED",
    `${directory.segment(place.segment)} had entries ${firstIndex} to ${lastIndex} at offset ${place.offset}, and a moment later it has not: ` +
      "the disk does not give the same bytes each time",
  );
}
