import type { LogEntry } from "@raftkv/raft-core";
import { type Disk, DiskError } from "@raftkv/raft-node";
import type { DataDirectory } from "./data-directory.ts";
import type { EntryRun } from "./entry-run.ts";
import type { Identity } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import type { RunPart } from "./recovered-entries.ts";
import { readSegment } from "./segment-reading.ts";
import { runsOf } from "./segment-scan.ts";

/**
 * The entries of parts of a log, part by part: those that were released are read and checked once more, a segment at a time. Throws
 * `ERR_STORAGE_FAILED` if the disk does not give again what it gave before.
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
    if (run.isReleased && run.segment !== segment) {
      segment = run.segment;
      runs = await runsByOffset(disk, directory, identity, segment);
    }
    const held = run.isReleased ? sameRun(run, runs.get(run.offset), directory) : run;
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
    if ("problem" in found) throw unsteady(found.path, found.problem);
    return new Map(runsOf(found.scan.batches).map((run) => [run.offset, run]));
  } catch (reason) {
    throw LogStoreError.from(reason, `read ${directory.segment(number)} once more`);
  }
}

function sameRun(released: EntryRun, found: EntryRun | undefined, directory: DataDirectory): EntryRun {
  const { segment, offset, firstIndex, lastIndex } = released;
  if (found?.firstIndex === firstIndex && found.lastIndex === lastIndex) return found;
  throw unsteady(directory.segment(segment), `has no entries ${firstIndex} to ${lastIndex} at offset ${offset}`);
}

/** The next start reads everything anew, and repairs what it finds to be damaged. */
function unsteady(path: string, problem: string): LogStoreError {
  const what = `${path} ${problem}, and was sound a moment ago: the disk does not always give the same`;
  return new LogStoreError("ERR_STORAGE_FAILED", what, { cause: new DiskError("io", path, what) });
}
