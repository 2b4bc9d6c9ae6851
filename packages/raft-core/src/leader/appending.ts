import { assert } from "../assert.ts";
import type { CoreState } from "../core-state.ts";
import type { EntryKind } from "../types.ts";
import type { Leadership } from "./leadership.ts";

export interface NewEntry {
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/**
 * Puts entries of this term at the end of the log. The leader counts itself only when its own disk holds them, by the answer that it
 * sends itself; its followers' disks work at the same time (dissertation 10.2.1).
 */
export function appendAsLeader(state: CoreState, leadership: Leadership, entries: readonly NewEntry[]): void {
  assert(state.role === leadership, "Only the leader of this term appends to its log");
  const { log, term } = state;
  for (const { kind, data } of entries) {
    leadership.uncommittedBytes += data.length;
    log.append({ index: log.lastIndex + 1, term, kind, data });
    // Who is removed by it hears that it is committed now or never.
    if (kind === "configuration") leadership.awaitedCommit = log.lastIndex;
  }
  state.outbox.sendWhenDurable({
    type: "appendEntriesResponse",
    from: state.id,
    to: state.id,
    term,
    index: log.lastIndex,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  });
}
