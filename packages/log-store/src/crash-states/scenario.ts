import type { HardState, LogEntry } from "@raftkv/raft-core";
import type { LogStore } from "@raftkv/raft-node";
import { snapshotState } from "../testing/damaged-directory.ts";
import { chunksOf, hardState, openTestStore, snapshotMeta, testEntries, testEntry } from "../testing/fixture.ts";
import type { MemoryDisk } from "../testing/memory-disk.ts";
import { TestClock } from "../testing/test-clock.ts";
import type { Model } from "./model.ts";

/** Longer than a log stands still before it is sealed. */
const IDLE_MS = 1_000;
/** Longer than a start waits before it makes its reserve. */
const LONG_MS = 120_000;
const RESERVE_BYTES = 8_192;

/** The store of a member over several lives. */
export class CrashingMember {
  readonly disk: MemoryDisk;
  readonly #clock = new TestClock();
  #seed = 1;
  #store: LogStore | null = null;

  constructor(disk: MemoryDisk) {
    this.disk = disk;
  }

  get store(): LogStore {
    if (this.#store === null) throw new Error("The store is not open");
    return this.#store;
  }

  async open(): Promise<void> {
    this.#store = await openTestStore(this.disk, { clock: this.#clock, seed: this.#seed++, reserveBytes: RESERVE_BYTES });
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  wait(ms: number): void {
    this.#clock.advance(ms);
  }
}

/** Something that a member asks of its store. The calls are made at the same time, and each changes the model in turn. */
export interface Step {
  readonly name: string;
  readonly calls: readonly Call[];
}

interface Call {
  readonly run: (member: CrashingMember) => Promise<void>;
  readonly apply: (model: Model) => Model;
}

const same = (model: Model): Model => model;

function append(term: number, vote: number, entries: readonly LogEntry[]): Call {
  const first = entries[0]?.index ?? Infinity;
  return {
    run: ({ store }) => store.append({ hardState: hardState(term, vote), entries }),
    apply: (model) => ({ ...model, term, vote, entries: [...model.entries.filter(({ index }) => index < first), ...entries] }),
  };
}

function save(index: number, term: number): Call {
  return {
    run: ({ store }) => store.saveSnapshot(snapshotMeta(index, term), chunksOf(snapshotState(index))),
    apply: (model) => ({ ...model, snapshotIndex: index }),
  };
}

function install(index: number, term: number): Call {
  return {
    run: async ({ store }) => {
      await store.receiveSnapshot(snapshotMeta(index, term), chunksOf(snapshotState(index)));
      await store.installSnapshot(snapshotMeta(index, term), hardState(term, 0, index));
    },
    apply: (model) => ({ ...model, term, vote: 0, snapshotIndex: index, entries: [] }),
  };
}

function compact(index: number): Call {
  return { run: ({ store }) => store.compact(index), apply: same };
}

const open: Call = { run: (member) => member.open(), apply: same };
const close: Call = { run: (member) => member.close(), apply: same };

function wait(ms: number): Call {
  return { run: async (member) => member.wait(ms), apply: same };
}

const endRepair: Call = { run: ({ store }) => store.endRepair(), apply: (model) => ({ ...model, lostFrom: null }) };

/** Eight entries whose batch fills twelve sectors: few enough for all their combinations. */
function twelveSectors(from: number, term: number): readonly LogEntry[] {
  return testEntries(from, from + 7, term, 660);
}

/** Two lives and the beginning of a third: every path that writes, alone and beside others. */
export const wholeLife: readonly Step[] = [
  { name: "first start", calls: [open] },
  { name: "first vote", calls: [append(1, 1, [])] },
  { name: "append", calls: [append(1, 1, twelveSectors(1, 1))] },
  { name: "small append", calls: [append(1, 1, [testEntry(9, 1)])] },
  { name: "seal", calls: [wait(IDLE_MS)] },
  { name: "reserve", calls: [wait(LONG_MS)] },
  { name: "append after a seal", calls: [append(1, 1, twelveSectors(10, 1))] },
  { name: "vote", calls: [append(2, 3, [])] },
  {
    name: "appends and a vote at once",
    calls: [append(2, 3, [testEntry(18, 2, 300)]), append(3, 0, [testEntry(19, 3, 700)]), append(3, 2, [testEntry(20, 3, 700)])],
  },
  { name: "replaced tail", calls: [append(4, 2, twelveSectors(17, 4))] },
  { name: "rotation", calls: [append(4, 2, testEntries(25, 30, 4, 2_000))] },
  { name: "own snapshot", calls: [save(20, 4)] },
  { name: "snapshot beside an append", calls: [append(4, 2, twelveSectors(31, 4)), save(28, 4)] },
  { name: "compaction", calls: [compact(28)] },
  { name: "append larger than a segment", calls: [append(5, 1, testEntries(39, 40, 5, 20_000))] },
  { name: "close", calls: [close] },
  { name: "restart", calls: [open] },
  { name: "append after a restart", calls: [append(5, 1, twelveSectors(41, 5))] },
  { name: "compaction beside an append", calls: [append(5, 1, twelveSectors(49, 5)), save(45, 5), compact(28)] },
  { name: "second compaction", calls: [compact(45)] },
  { name: "install", calls: [install(90, 6)] },
  { name: "append after an install", calls: [append(6, 1, twelveSectors(91, 6))] },
  { name: "append before a close", calls: [append(7, 3, twelveSectors(99, 7))] },
  { name: "close after appends", calls: [close] },
  { name: "second restart", calls: [open] },
  { name: "last append", calls: [append(8, 1, twelveSectors(107, 8))] },
];

/**
 * A damaged directory is opened, and a leader sends the entries that are lost, if any; the member ends its repair and goes on after the
 * commit index.
 */
export function repairOf(lost: readonly LogEntry[], { term, vote, commit }: HardState): readonly Step[] {
  const half = Math.ceil(lost.length / 2);
  return [
    { name: "salvage", calls: [open] },
    { name: "append under repair", calls: [append(term, vote, lost.slice(0, half))] },
    { name: "close under repair", calls: [close] },
    { name: "restart under repair", calls: [open] },
    { name: "rest of the repair", calls: [append(term, vote, lost.slice(half))] },
    { name: "end of the repair", calls: [endRepair] },
    { name: "append after the repair", calls: [append(term + 1, 1, [testEntry(commit + 1, term + 1)])] },
    { name: "close after the repair", calls: [close] },
    { name: "restart after the repair", calls: [open] },
  ];
}
