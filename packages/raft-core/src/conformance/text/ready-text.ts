import type { HardState, LogEntry, SnapshotMeta, SoftState } from "../../types.ts";
import { snapshotText } from "./configuration-text.ts";
import { entriesText } from "./entry-text.ts";
import { roleNames } from "./names.ts";

/** What a Ready tells, in the terms of the reference. */
export interface ReadyView {
  readonly mustSync: boolean;
  readonly softState: SoftState | null;
  readonly hardState: HardState | null;
  readonly entries: readonly LogEntry[];
  readonly snapshot: SnapshotMeta | null;
  readonly committed: readonly LogEntry[];
  /** Texts of the messages, those to the own storage included. */
  readonly messages: readonly string[];
}

/** The parts that are there, one below the other. */
export function readyText(ready: ReadyView): string {
  const { mustSync, softState, hardState, entries, snapshot, committed, messages } = ready;
  let text = "";
  if (softState !== null) text += `Lead:${softState.leader} State:${roleNames[softState.role]}\n`;
  if (hardState !== null) text += `HardState ${hardStateText(hardState)}\n`;
  if (entries.length > 0) text += `Entries:\n${entriesText(entries)}`;
  if (snapshot !== null) text += `Snapshot ${snapshotText(snapshot)}\n`;
  if (committed.length > 0) text += `CommittedEntries:\n${entriesText(committed)}`;
  if (messages.length > 0) text += `Messages:\n${messages.map((message) => `${message}\n`).join("")}`;
  return text === "" ? "<empty Ready>" : `Ready MustSync=${mustSync}:\n${text}`;
}

function hardStateText({ term, vote, commit }: HardState): string {
  return vote === 0 ? `Term:${term} Commit:${commit}` : `Term:${term} Vote:${vote} Commit:${commit}`;
}
