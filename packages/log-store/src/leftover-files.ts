import type { Disk } from "@raftkv/raft-node";
import { type DataDirectory, isSnapshotName, listIfThere } from "./data-directory.ts";
import type { DirectoryContents } from "./directory-contents.ts";
import { holdsRecords, type Recovery } from "./log-recovery.ts";
import type { FoundSegment } from "./segment-reading.ts";

/** Paths of segments and snapshots that nothing leads to once the store goes on in its new segment. */
export interface LeftoverFiles {
  /** Kept aside: they are damaged, or hold what a repair may not bring back. */
  readonly damaged: readonly string[];
  /** Removed: others say what they say, or they never were in force. */
  readonly useless: readonly string[];
}

/** `snapshotsKept`: paths of those that stay. `isUnderRepair`: this start or an earlier one found a loss. */
export async function findLeftovers(
  disk: Disk,
  directory: DataDirectory,
  { segments, search, recovery }: DirectoryContents,
  { snapshotsKept, isUnderRepair }: { readonly snapshotsKept: ReadonlySet<string>; readonly isUnderRepair: boolean },
): Promise<LeftoverFiles> {
  const onChain = new Set(recovery.chain.map(({ number }) => number));
  const bad = new Set(search.bad.map(({ path }) => path));
  const damaged: string[] = [];
  const useless: string[] = [];
  for (const segment of segments) {
    if (!onChain.has(segment.number)) (isEvidence(segment, recovery, isUnderRepair) ? damaged : useless).push(segment.path);
  }
  for (const name of (await listIfThere(disk, directory.snap)).filter(isSnapshotName)) {
    const path = `${directory.snap}/${name}`;
    if (!snapshotsKept.has(path)) (bad.has(path) ? damaged : useless).push(path);
  }
  return { damaged, useless };
}

/** A start that finds a loss keeps all that was written. Later ones keep what that one left behind if it was cut short. */
function isEvidence(segment: FoundSegment, { lost, retired }: Recovery, isUnderRepair: boolean): boolean {
  if ("problem" in segment) return true;
  const { batches, stop, highestSeq } = segment.scan;
  if (stop.kind === "whole") return true;
  if (lost !== null) return highestSeq > 0;
  return isUnderRepair && !retired.includes(segment.number) && (holdsRecords(batches) || (stop.kind === "torn" && highestSeq > 0));
}
