import { assertNever } from "../../assert.ts";
import type { SnapshotMeta } from "../../types.ts";
import { storedConfigurationText } from "../text/configuration-text.ts";
import { type EventOf, info, type LogLine, warn } from "./log-line.ts";

type StorageEvent = EventOf<
  | "conflictFound"
  | "unstableReplaced"
  | "unstableTruncated"
  | "acknowledgementIgnored"
  | "acknowledgementMismatched"
  | "acknowledgementOutdated"
>;

type SnapshotEvent = EventOf<
  "snapshotRestoreStarted" | "snapshotRestored" | "snapshotFastForwarded" | "snapshotHandled" | "snapshotRefused"
>;

/** About the log, and what is not yet durable of it. */
export function storageLine(self: string, event: StorageEvent): LogLine {
  switch (event.type) {
    case "conflictFound": {
      const terms = `[existing term: ${event.existingTerm}, conflicting term: ${event.conflictingTerm}]`;
      return info(`found conflict at index ${event.index} ${terms}`);
    }
    case "unstableReplaced":
      return info(`replace the unstable entries from index ${event.fromIndex}`);
    case "unstableTruncated":
      return info(`truncate the unstable entries before index ${event.beforeIndex}`);
    case "acknowledgementIgnored":
      if (event.cause === "missing") return info(`entry at index ${event.index} missing from unstable log; ignoring`);
      return info(`entry at index ${event.index} matched unstable snapshot; ignoring`);
    case "acknowledgementMismatched": {
      const { index, term, existingTerm } = event;
      const present = `(${index},${existingTerm})`;
      return info(`entry at (index,term)=(${index},${term}) mismatched with entry at ${present} in unstable log; ignoring`);
    }
    case "acknowledgementOutdated": {
      const which = `a MsgStorageAppendResp message with lower term [term: ${event.term}]`;
      return info(`${self} [term: ${event.ownTerm}] ignored entry appends from ${which}`);
    }
    default:
      return assertNever(event);
  }
}

/** About snapshots that a leader has sent. */
export function snapshotLine(self: string, event: SnapshotEvent): LogLine {
  const name = `snapshot [index: ${event.snapshot.index}, term: ${event.snapshot.term}]`;
  switch (event.type) {
    case "snapshotRestoreStarted":
      return info(`log [${logStateText(event)}] starts to restore ${name}`);
    case "snapshotRestored":
      return info(`${self} ${commitText(event)} restored ${name}`);
    case "snapshotFastForwarded":
      return info(`${self} ${commitText(event)} fast-forwarded commit to ${name}`);
    case "snapshotHandled":
      return info(`${self} [commit: ${event.commit}] ${event.taken ? "restored" : "ignored"} ${name}`);
    case "snapshotRefused":
      return snapshotRefused(self, event.snapshot);
    default:
      return assertNever(event);
  }
}

function logStateText(event: EventOf<"snapshotRestoreStarted">): string {
  const { commit, applied, applying, unstableOffset, unstableInProgress, unstableCount } = event;
  const unstable = `unstable.offset=${unstableOffset}, unstable.offsetInProgress=${unstableInProgress}, len(unstable.Entries)=${unstableCount}`;
  return `committed=${commit}, applied=${applied}, applying=${applying}, ${unstable}`;
}

function commitText({ commit, lastIndex, lastTerm }: EventOf<"snapshotRestored" | "snapshotFastForwarded">): string {
  return `[commit: ${commit}, lastindex: ${lastIndex}, lastterm: ${lastTerm}]`;
}

function snapshotRefused(self: string, snapshot: SnapshotMeta): LogLine {
  const configuration = storedConfigurationText(snapshot.configuration);
  return warn(`${self} attempted to restore snapshot but it is not in the ConfState ${configuration}; should never happen`);
}
