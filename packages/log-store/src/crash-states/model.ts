import type { LogEntry } from "@raftkv/raft-core";
import type { LogStore, RecoveredLog } from "@raftkv/raft-node";
import { snapshotState } from "../testing/damaged-directory.ts";
import { readSnapshotBytes, wholeRecovery } from "../testing/fixture.ts";

/** What a store must hold. */
export interface Model {
  readonly term: number;
  readonly vote: number;
  readonly snapshotIndex: number;
  /** All from the first one on, also those that a snapshot covers; after an installed snapshot those above it. */
  readonly entries: readonly LogEntry[];
  /** First index that the member may have lost; null for a sound one. */
  readonly lostFrom: number | null;
}

export const emptyModel: Model = { term: 0, vote: 0, snapshotIndex: 0, entries: [], lostFrom: null };

function holdsLog(recovered: RecoveredLog, model: Model): boolean {
  const { snapshotIndex, lostFrom } = model;
  if ((recovered.snapshot?.index ?? 0) !== snapshotIndex || (recovered.lost?.from ?? null) !== lostFrom) return false;
  const found = recovered.entries.filter(({ index }) => index > snapshotIndex);
  const expected = model.entries.filter(({ index }) => index > snapshotIndex);
  return found.length === expected.length && found.every((entry, at) => isSame(entry, expected[at]));
}

function isSame(a: LogEntry, b: LogEntry | undefined): boolean {
  return b !== undefined && a.index === b.index && a.term === b.term && Buffer.compare(a.data, b.data) === 0;
}

function describeLog(entries: readonly LogEntry[], snapshotIndex: number, lostFrom: number | null): string {
  const [first, last] = [entries[0], entries.at(-1)];
  const log = first === undefined || last === undefined ? "no entries" : `entries ${first.index} to ${last.index} of term ${last.term}`;
  return `snapshot ${snapshotIndex}, ${log}${lostFrom === null ? "" : `, lost from ${lostFrom}`}`;
}

/**
 * What is wrong with a store that was opened after a crash, or null. The log and the snapshot are those of one of the possible models,
 * whole; term and vote are those of the same or a later one, because they are written first.
 */
export async function findLoss(store: LogStore, possible: readonly Model[]): Promise<string | null> {
  const recovered = await wholeRecovery(store);
  const { hardState, snapshot, entries, lost, quarantine } = recovered;
  if (quarantine !== null) return `is quarantined: ${JSON.stringify(quarantine)}`;
  const snapshotIndex = snapshot?.index ?? 0;
  const at = possible.findIndex((model) => holdsLog(recovered, model));
  if (at < 0) {
    const found = describeLog(entries, snapshotIndex, lost?.from ?? null);
    const expected = possible.map((model) => describeLog(model.entries, model.snapshotIndex, model.lostFrom));
    return `found ${found}, possible are ${expected.join(" or ")}`;
  }
  if (!possible.slice(at).some(({ term, vote }) => term === hardState.term && vote === hardState.vote)) {
    const expected = possible.map(({ term, vote }) => `${term} and ${vote}`);
    return `found term ${hardState.term} and vote ${hardState.vote}, expected ${expected.join(" or ")}`;
  }
  const first = entries[0]?.index ?? snapshotIndex + 1;
  if (first > snapshotIndex + 1) return `the log begins at ${first} after a snapshot at ${snapshotIndex}`;
  const state = await readSnapshotBytes(store);
  const isWhole = snapshot === null ? state === null : state !== null && Buffer.compare(state, snapshotState(snapshotIndex)) === 0;
  return isWhole ? null : `the snapshot at ${snapshotIndex} holds something else`;
}
