import type { LogEntry } from "../../types.ts";
import { decodedChange, isOldStyle } from "../old-style-change.ts";
import { operationsText } from "./change-text.ts";
import { quotedText } from "./quoted-text.ts";

/** `1/3 EntryNormal "data"`, `1/4 EntryConfChangeV2 v2 r1`. */
export function entryText(entry: LogEntry): string {
  const position = `${entry.term}/${entry.index}`;
  if (entry.kind !== "configuration") return `${position} EntryNormal ${quotedText(entry.data)}`;
  const change = decodedChange(entry.data);
  const type = isOldStyle(change) ? "EntryConfChange" : "EntryConfChangeV2";
  return [position, type, ...operationsText(change.operations)].join(" ");
}

/** One line for each entry. */
export function entriesText(entries: readonly LogEntry[]): string {
  return entries.map((entry) => `${entryText(entry)}\n`).join("");
}
