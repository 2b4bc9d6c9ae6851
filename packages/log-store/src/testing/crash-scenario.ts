import type { LogEntry } from "@raftkv/raft-core";
import type { LogStore } from "@raftkv/raft-node";
import { chunksOf, hardState, readSnapshotBytes, snapshotMeta, testEntries, testEntry, wholeRecovery } from "./fixture.ts";
import type { TestClock } from "./test-clock.ts";

/** What a store must hold: positions after the snapshot, term and vote. */
export interface Model {
  readonly term: number;
  readonly vote: number;
  readonly snapshotIndex: number;
  readonly entries: readonly LogEntry[];
}

export const emptyModel: Model = { term: 0, vote: 0, snapshotIndex: 0, entries: [] };

/** More turns than anything that the store does by itself takes. */
const QUIET_TURNS = 1_000;

/** Calls that are made at the same time. Each changes the model in turn. */
export interface Step {
  readonly name: string;
  readonly calls: readonly {
    readonly run: (store: LogStore, clock: TestClock) => Promise<void>;
    readonly apply: (model: Model) => Model;
  }[];
}

function append(term: number, vote: number, entries: readonly LogEntry[]): Step["calls"][number] {
  return {
    run: (store) => store.append({ hardState: hardState(term, vote), entries }),
    apply: (model) => {
      const first = entries[0]?.index ?? Infinity;
      return { ...model, term, vote, entries: [...model.entries.filter(({ index }) => index < first), ...entries] };
    },
  };
}

function save(index: number, term: number): Step["calls"][number] {
  return {
    run: (store) => store.saveSnapshot(snapshotMeta(index, term), chunksOf(snapshotBytes(index))),
    apply: (model) => ({ ...model, snapshotIndex: index }),
  };
}

function compact(index: number): Step["calls"][number] {
  return { run: (store) => store.compact(index), apply: (model) => model };
}

/** Lets time pass until everything that waits for it is written. */
function standStill(ms: number): Step {
  const run = async (_: LogStore, clock: TestClock): Promise<void> => {
    await quiet();
    clock.advance(ms);
    await quiet();
  };
  return { name: `nothing for ${ms} ms`, calls: [{ run, apply: (model) => model }] };
}

/** Until what goes on in the background is done: a disk in memory answers at once. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS; turn++) await Promise.resolve();
}

/** The state at an index, as this scenario has it. */
export function snapshotBytes(index: number): Uint8Array {
  return Uint8Array.from({ length: 900 }, (_, at) => 1 + ((index + at) % 255));
}

/** Appends, seals, replaced tails, votes, rotations, snapshots of both kinds, compactions: every path that writes. */
export const scenario: readonly Step[] = [
  { name: "first vote", calls: [append(1, 1, [])] },
  { name: "first entries", calls: [append(1, 1, testEntries(1, 3, 1))] },
  standStill(20),
  { name: "one after another", calls: [append(1, 1, [testEntry(4, 1)])] },
  {
    name: "at the same time",
    calls: [append(1, 1, [testEntry(5, 1)]), append(2, 0, [testEntry(6, 2)]), append(2, 3, [testEntry(7, 2, 700)])],
  },
  { name: "a tail is replaced", calls: [append(3, 2, testEntries(5, 8, 3))] },
  standStill(60_000),
  { name: "into the next segment", calls: [append(3, 2, testEntries(9, 10, 3, 5_000))] },
  standStill(20),
  { name: "own snapshot", calls: [save(8, 3)] },
  { name: "snapshot and append", calls: [append(3, 2, [testEntry(11, 3)]), save(10, 3)] },
  { name: "compaction", calls: [compact(9)] },
  { name: "larger than a segment", calls: [append(4, 1, testEntries(12, 13, 4, 20_000))] },
  { name: "compaction again", calls: [compact(10)] },
  {
    name: "a snapshot is received and installed",
    calls: [
      {
        run: async (store) => {
          await store.receiveSnapshot(snapshotMeta(40, 6), chunksOf(snapshotBytes(40)));
          await store.installSnapshot(snapshotMeta(40, 6), hardState(6, 0, 40));
        },
        apply: () => ({ term: 6, vote: 0, snapshotIndex: 40, entries: [] }),
      },
    ],
  },
  standStill(20),
  { name: "after the install", calls: [append(6, 1, testEntries(41, 43, 6))] },
  { name: "last vote", calls: [append(7, 3, [])] },
  { name: "last entry", calls: [append(7, 3, [testEntry(44, 7)])] },
];

function describeLog({ snapshotIndex, entries }: Pick<Model, "snapshotIndex" | "entries">): string {
  const after = entries.filter(({ index }) => index > snapshotIndex);
  return `snapshot ${snapshotIndex}, ${after.map(({ index, term, data }) => `${index}/${term}:${data.join("")}`).join(" ")}`;
}

/**
 * What is wrong with a store that was opened after a crash, or null. The log and snapshot are those of one possible model; term and
 * vote are those of the same or a later one, because they are written first.
 */
export async function findLoss(store: LogStore, possible: readonly Model[]): Promise<string | null> {
  const { hardState: found, snapshot, entries, lost, quarantine } = await wholeRecovery(store);
  if (lost !== null) return `complains without reason: ${lost.description}`;
  if (quarantine !== null) return `is quarantined without reason: ${JSON.stringify(quarantine)}`;
  const snapshotIndex = snapshot?.index ?? 0;
  const log = describeLog({ snapshotIndex, entries });
  const at = possible.findIndex((model) => describeLog(model) === log);
  if (at < 0) return `found the log ${log}, possible are ${possible.map(describeLog).join(" or ")}`;
  if (!possible.slice(at).some((model) => model.term === found.term && model.vote === found.vote)) {
    return `found term ${found.term} and vote ${found.vote}, expected ${possible.map(({ term, vote }) => `${term} and ${vote}`).join(" or ")}`;
  }
  const first = entries[0]?.index ?? snapshotIndex + 1;
  if (first > snapshotIndex + 1) return `the log begins at ${first} after a snapshot at ${snapshotIndex}`;
  const state = await readSnapshotBytes(store);
  const expected = snapshot === null ? null : snapshotBytes(snapshotIndex);
  return state?.join() === expected?.join() ? null : `the snapshot at ${snapshotIndex} holds something else`;
}
