import type { LogStore } from "@raftkv/raft-node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { emptyModel, findLoss, type Model, snapshotBytes } from "./testing/crash-scenario.ts";
import { chunksOf, hardState, openTestStore, SeededRandom, snapshotMeta, testEntry } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { TestClock } from "./testing/test-clock.ts";

type Action =
  | { readonly kind: "append"; readonly back: number; readonly sizes: readonly number[]; readonly newTerm: boolean }
  | { readonly kind: "vote"; readonly vote: number }
  | { readonly kind: "save" | "compact"; readonly back: number }
  | { readonly kind: "install"; readonly ahead: number }
  | { readonly kind: "idle"; readonly ms: number }
  | { readonly kind: "restart" | "crash" };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      back: fc.integer({ min: 0, max: 4 }),
      sizes: fc.array(fc.oneof(fc.nat(300), fc.nat(9_000)), { minLength: 1, maxLength: 6 }),
      newTerm: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("vote" as const), vote: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("save" as const, "compact" as const), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("install" as const), ahead: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("idle" as const), ms: fc.constantFrom(19, 20, 60_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("restart" as const, "crash" as const) }) },
);

/** A store and what it must hold. Entries above `commit` may still be replaced; snapshots stand at or below it. */
class Twin {
  disk = new MemoryDisk();
  model: Model = emptyModel;
  commit = 0;
  /** Starts that left a part of the log on the disk. */
  replays = 0;
  #opened = 0;
  #clock = new TestClock();
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  open(): Promise<LogStore> {
    this.#opened += 1;
    // A clock of its own: a store that crashed hears no more of it.
    this.#clock = new TestClock();
    // What the segments of a test hold, a few of their batches, or nothing of them.
    const recoveredBytesMax = [1e9, 9_000, 0][this.#opened % 3] ?? 0;
    return openTestStore(this.disk, { seed: this.#opened, clock: this.#clock, recoveredBytesMax });
  }

  get lastIndex(): number {
    return this.model.entries.at(-1)?.index ?? this.model.snapshotIndex;
  }

  async act(store: LogStore, action: Action): Promise<LogStore> {
    const { model } = this;
    switch (action.kind) {
      case "append": {
        const first = Math.max(this.commit + 1, this.lastIndex + 1 - action.back);
        const term = Math.max(1, model.term + (action.newTerm || first <= this.lastIndex ? 1 : 0));
        const entries = action.sizes.map((size, at) => testEntry(first + at, term, size));
        // Half of what was there before is committed by the time the next entries come.
        this.commit = Math.max(this.commit, Math.floor((this.commit + first) / 2));
        await store.append({ hardState: hardState(term, 0, Math.min(this.commit, first - 1)), entries });
        this.commit = Math.min(this.commit, first - 1);
        this.model = { ...model, term, vote: 0, entries: [...model.entries.filter(({ index }) => index < first), ...entries] };
        return store;
      }
      case "vote":
        await store.append({ hardState: hardState(model.term + 1, action.vote, 0), entries: [] });
        this.model = { ...model, term: model.term + 1, vote: action.vote };
        return store;
      case "save": {
        const index = this.commit - action.back;
        const entry = model.entries.find((candidate) => candidate.index === index);
        if (entry === undefined || index <= model.snapshotIndex) return store;
        await store.saveSnapshot(snapshotMeta(index, entry.term), chunksOf(snapshotBytes(index)));
        this.model = { ...model, snapshotIndex: index };
        return store;
      }
      case "compact":
        await store.compact(Math.max(0, model.snapshotIndex - action.back));
        return store;
      case "install": {
        const index = this.commit + action.ahead;
        const term = Math.max(1, model.term);
        await store.receiveSnapshot(snapshotMeta(index, term), chunksOf(snapshotBytes(index)));
        await store.installSnapshot(snapshotMeta(index, term), hardState(term, model.term === term ? model.vote : 0, index));
        this.commit = index;
        this.model = { ...model, term, vote: model.term === term ? model.vote : 0, snapshotIndex: index, entries: [] };
        return store;
      }
      case "idle":
        this.#clock.advance(action.ms);
        // What is due may be under way when the next thing happens.
        return store;
      case "restart":
      case "crash": {
        if (action.kind === "restart") await store.close();
        else this.disk = this.disk.afterPowerLoss(() => this.#random.below(2) === 0);
        const again = await this.open();
        if (again.recovered.replay !== null) this.replays += 1;
        const loss = await findLoss(again, [this.model]);
        if (loss !== null) throw new Error(loss);
        return again;
      }
    }
  }
}

/** A compaction once removed the segment with the mark of the snapshot in force, because its entries were no longer needed. */
const markAlone: readonly Action[] = [
  { kind: "install", ahead: 1 },
  { kind: "append", back: 0, sizes: [6_625, 5_233], newTerm: false },
  { kind: "compact", back: 0 },
];

test("whatever is done to a store, stops and power losses lose nothing", async () => {
  let replays = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 40 }), fc.nat(), async (actions, seed) => {
      const twin = new Twin(seed);
      let store = await twin.open();
      for (const next of [...actions, { kind: "crash" } as const, { kind: "restart" } as const]) store = await twin.act(store, next);
      await store.close();
      replays += twin.replays;
      expect(twin.disk.openFiles).toBe(0);
    }),
    { numRuns: 300, examples: [[[...markAlone], 0]] },
  );
  expect(replays).toBeGreaterThan(20);
});
