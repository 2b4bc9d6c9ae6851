import { DiskError } from "@raftkv/raft-node";
import { describe, expect, test } from "vitest";
import { PAGE_BYTES, SECTOR_BYTES } from "./format.ts";
import { logRows, snapshotRows } from "./recovery-decision.ts";
import { firstMissing, makeSoundDirectory, type SoundDirectoryOptions, snapshotState, spoil } from "./testing/damaged-directory.ts";
import { hardState, LineLogger, openTestStore, readSnapshotBytes, SeededRandom, snapshotMeta, testEntries } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

function wal(disk: MemoryDisk, at: number): string {
  return disk.files("/data/wal").at(at) ?? "";
}

function snapshot(index: number): string {
  return `/data/snap/${index.toString(16).padStart(16, "0")}-0000000000000002.snap`;
}

function zero(disk: MemoryDisk, path: string, offset: number, length: number): void {
  disk.poke(path, disk.peek(path).fill(0, offset, offset + length));
}

/** Where the last batch of the newest segment stands: its page is the last one with anything in it. */
function lastBatch(disk: MemoryDisk): { readonly path: string; readonly offset: number } {
  const path = disk.files("/data/wal").findLast((name) => disk.peek(name).some((byte, at) => at >= 2 * PAGE_BYTES && byte !== 0)) ?? "";
  const bytes = disk.peek(path);
  let offset = bytes.length - PAGE_BYTES;
  while (bytes.subarray(offset, offset + PAGE_BYTES).every((byte) => byte === 0)) offset -= PAGE_BYTES;
  return { path, offset };
}

interface Case {
  readonly what: string;
  readonly made: SoundDirectoryOptions;
  readonly damage: (disk: MemoryDisk) => void;
  readonly decision: string;
  /** Index of the snapshot that is used, 0 for none. */
  readonly snapshotIndex: number;
  /** Last entry that is there. */
  readonly lastIndex: number;
  /** First index that may be lost, null for no loss. */
  readonly lostFrom: number | null;
}

const cases: readonly Case[] = [
  {
    what: "a log that was closed",
    made: { lastIndex: 10 },
    damage: () => {},
    decision: "L1 S3",
    snapshotIndex: 0,
    lastIndex: 10,
    lostFrom: null,
  },
  {
    what: "a log of a member that was killed",
    made: { lastIndex: 10, isKilled: true },
    damage: () => {},
    decision: "L2 S3",
    snapshotIndex: 0,
    lastIndex: 10,
    lostFrom: null,
  },
  {
    what: "a last batch whose second half was never written",
    made: { lastIndex: 10, isKilled: true },
    damage: (disk) => {
      const { path, offset } = lastBatch(disk);
      zero(disk, path, offset + SECTOR_BYTES, SECTOR_BYTES);
    },
    decision: "L3 S3",
    snapshotIndex: 0,
    lastIndex: 9,
    lostFrom: null,
  },
  {
    what: "a last batch whose beginning was never written",
    made: { lastIndex: 10, isKilled: true },
    damage: (disk) => {
      const { path, offset } = lastBatch(disk);
      zero(disk, path, offset, SECTOR_BYTES);
    },
    decision: "L4 S3",
    snapshotIndex: 0,
    lastIndex: 9,
    lostFrom: null,
  },
  {
    what: "a last batch that is wrong",
    made: { lastIndex: 10, isKilled: true },
    damage: (disk) => {
      const { path, offset } = lastBatch(disk);
      spoil(disk, path, offset + 100);
    },
    decision: "L5 S3",
    snapshotIndex: 0,
    lastIndex: 9,
    lostFrom: 10,
  },
  {
    what: "damage between sound segments",
    made: { lastIndex: 14 },
    damage: (disk) => spoil(disk, wal(disk, 1), 3 * PAGE_BYTES + 100),
    decision: "L6 L1 S4",
    snapshotIndex: 0,
    lastIndex: 4,
    lostFrom: 5,
  },
  {
    what: "damage between sound segments, below a snapshot",
    made: { lastIndex: 14, snapshots: [13] },
    damage: (disk) => spoil(disk, wal(disk, 0), 3 * PAGE_BYTES + 100),
    decision: "L7 L1 S1",
    snapshotIndex: 13,
    lastIndex: 14,
    lostFrom: null,
  },
  {
    what: "a segment that is gone",
    made: { lastIndex: 14 },
    damage: (disk) => disk.lose(wal(disk, 1)),
    decision: "L8 L1 S4",
    snapshotIndex: 0,
    lastIndex: 3,
    lostFrom: 4,
  },
  {
    what: "a last segment that is cut off",
    made: { lastIndex: 10 },
    damage: (disk) => disk.poke(wal(disk, -1), disk.peek(wal(disk, -1)).subarray(0, 9_000)),
    decision: "L8 S3",
    snapshotIndex: 0,
    lastIndex: 10,
    lostFrom: 11,
  },
  {
    what: "a segment without header, below a snapshot",
    made: { lastIndex: 14, snapshots: [13] },
    damage: (disk) => zero(disk, wal(disk, 0), 0, 2 * PAGE_BYTES),
    decision: "L9 L1 S1",
    snapshotIndex: 13,
    lastIndex: 14,
    lostFrom: null,
  },
  {
    what: "a newest snapshot that is wrong, and an older one",
    made: { lastIndex: 12, snapshots: [5, 9] },
    damage: (disk) => spoil(disk, snapshot(9), 4_200),
    decision: "L1 S2",
    snapshotIndex: 5,
    lastIndex: 12,
    lostFrom: null,
  },
  {
    what: "a newest snapshot that is gone, and an older one",
    made: { lastIndex: 12, snapshots: [5, 9] },
    damage: (disk) => disk.lose(snapshot(9)),
    decision: "L1 S2",
    snapshotIndex: 5,
    lastIndex: 12,
    lostFrom: null,
  },
  {
    what: "a wrong snapshot and a log from the beginning",
    made: { lastIndex: 7, snapshots: [6] },
    damage: (disk) => spoil(disk, snapshot(6), 60),
    decision: "L1 S3",
    snapshotIndex: 0,
    lastIndex: 7,
    lostFrom: null,
  },
  {
    what: "two wrong snapshots and a log that was compacted",
    made: { lastIndex: 14, snapshots: [9, 12] },
    damage: (disk) => {
      spoil(disk, snapshot(9), 60);
      spoil(disk, snapshot(12), 60);
    },
    decision: "L8 L1 S4",
    snapshotIndex: 0,
    lastIndex: 0,
    lostFrom: 1,
  },
  {
    what: "a snapshot and no log",
    made: { lastIndex: 14, snapshots: [9, 12] },
    damage: (disk) => {
      for (const path of disk.files("/data/wal")) disk.lose(path);
      disk.lose("/data/wal");
    },
    decision: "L8 S6",
    snapshotIndex: 12,
    lastIndex: 12,
    lostFrom: 13,
  },
  {
    what: "an old snapshot and a beginning of the log",
    made: { lastIndex: 14, snapshots: [3, 5] },
    damage: (disk) => {
      spoil(disk, snapshot(5), 4_200);
      spoil(disk, wal(disk, 1), 3 * PAGE_BYTES + 10);
    },
    decision: "L6 L1 S4",
    snapshotIndex: 3,
    lastIndex: 6,
    lostFrom: 7,
  },
];

describe("opening", () => {
  test.each(cases)("$what: $decision", async ({ made, damage, decision, snapshotIndex, lastIndex, lostFrom }) => {
    const { disk, entries } = await makeSoundDirectory(made);
    damage(disk);
    const logger = new LineLogger();
    const store = await openTestStore(disk, { seed: 2, logger });
    const { recovered } = store;
    expect(logger.lines.find(({ message }) => message === "log read")?.fields).toMatchObject({ decision });
    expect(recovered.snapshot?.index ?? 0).toBe(snapshotIndex);
    expect(recovered.entries.at(-1)?.index ?? snapshotIndex).toBe(lastIndex);
    expect(recovered.lost?.from ?? null).toBe(lostFrom);
    expect(recovered.hardState).toMatchObject({ term: 2, vote: 3 });
    expect(recovered.quarantine).toBeNull();
    if (snapshotIndex > 0) expect(await readSnapshotBytes(store)).toEqual(snapshotState(snapshotIndex));
    expect(firstMissing(store, entries)).toBe(lastIndex + 1);
    await store.close();
    expect(disk.openFiles).toBe(0);
    // It opens again to the same, and finds nothing new to complain about.
    const again = await openTestStore(disk, { seed: 3 });
    expect({ ...again.recovered, entries: again.recovered.entries.map(({ index, term }) => [index, term]) }).toEqual({
      ...recovered,
      entries: recovered.entries.map(({ index, term }) => [index, term]),
    });
    await again.close();
  });

  test("reaches every row of the decision tables", () => {
    const reached = new Set(cases.flatMap(({ decision }) => decision.split(" ")));
    expect([...logRows, ...snapshotRows].map(({ name }) => name).filter((name) => !reached.has(name))).toEqual([]);
  });
});

describe("a store that lost entries", () => {
  const spoilMiddle = (disk: MemoryDisk): void => spoil(disk, wal(disk, 1), 3 * PAGE_BYTES + 100);

  test("says where and what, in this and every later start, until the repair ends", async () => {
    const { disk, entries } = await makeSoundDirectory({ lastIndex: 14 });
    const path = wal(disk, 1);
    spoilMiddle(disk);
    let store = await openTestStore(disk, { seed: 2 });
    const { lost } = store.recovered;
    expect(lost?.description).toMatch(new RegExp(`${path} at offset ${3 * PAGE_BYTES}: .*; entries from log index 5 on may be lost`));
    for (let start = 3; start < 6; start++) {
      await store.close();
      store = await openTestStore(disk, { seed: start });
      expect(store.recovered.lost).toEqual(lost);
    }
    // What the leader sends, and then the word that it is all.
    await store.append({ hardState: hardState(2, 3, 14), entries: entries.slice(4) });
    await store.endRepair();
    const left = disk.afterPowerLoss(() => false);
    const repaired = await openTestStore(left, { seed: 9 });
    expect(repaired.recovered).toMatchObject({ lost: null, quarantine: null, hardState: { term: 2, vote: 3 } });
    expect(firstMissing(repaired, entries)).toBe(15);
    await repaired.close();
  });

  test("keeps what it took out of service, with a word on why", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14 });
    spoilMiddle(disk);
    const before = new Map(disk.files("/data/wal").map((path) => [path.slice("/data/wal/".length), disk.peek(path)]));
    const store = await openTestStore(disk, { seed: 2 });
    await store.close();
    const aside = disk.files("/data/damaged");
    const decision = aside.find((path) => path.endsWith("-decision.txt")) ?? "";
    expect(new TextDecoder().decode(disk.peek(decision))).toMatch(/^\S+\.wal at offset 12288: .*\nfound at start 2, decision L6 L1 S4\n/);
    const kept = aside.filter((path) => path !== decision);
    expect(kept.length).toBeGreaterThan(1);
    for (const path of kept) expect(disk.peek(path)).toEqual(before.get(path.slice("/data/damaged/0000000000000002-".length)));
  });

  test("does not name more as sound than a lost tail may have replaced", async () => {
    // Entries 4 to 6 of term 2 are replaced in term 3, and all of that is lost: what is left of 4 to 6 is not what was acknowledged.
    const disk = new MemoryDisk();
    const store = await openTestStore(disk, { seed: 1 });
    await store.append({ hardState: hardState(2, 0, 2), entries: testEntries(1, 6, 2) });
    await store.append({ hardState: hardState(2, 0, 3), entries: testEntries(7, 7, 2) });
    await store.close();
    const next = await openTestStore(disk, { seed: 2 });
    await next.append({ hardState: hardState(3, 0, 3), entries: testEntries(4, 4, 3) });
    await next.close();
    disk.lose(wal(disk, 1));
    disk.lose(wal(disk, 1));
    const again = await openTestStore(disk, { seed: 3 });
    expect(again.recovered.hardState.term).toBe(3);
    expect(again.recovered.entries.map(({ term }) => term)).toEqual([2, 2, 2, 2, 2, 2, 2]);
    expect(again.recovered.lost?.from).toBe(4);
    await again.close();
  });

  test("lowers the first lost index if it is damaged again, and never raises it", async () => {
    const { disk, entries } = await makeSoundDirectory({ lastIndex: 14 });
    spoil(disk, wal(disk, 2), 3 * PAGE_BYTES + 100);
    const first = await openTestStore(disk, { seed: 2 });
    expect(first.recovered.lost?.from).toBe(9);
    await first.close();
    spoil(disk, wal(disk, 0), 3 * PAGE_BYTES + 100);
    const second = await openTestStore(disk, { seed: 3 });
    expect(second.recovered.lost?.from).toBe(1);
    await second.append({ hardState: hardState(2, 3), entries });
    await second.close();
    spoil(disk, wal(disk, -1), 2 * PAGE_BYTES + 100);
    const third = await openTestStore(disk, { seed: 4 });
    expect(third.recovered.lost?.from).toBe(1);
    await third.close();
  });

  test("counts a segment that can't be read as damaged", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14 });
    const path = wal(disk, 1);
    let reads = 0;
    disk.before = (call) => {
      // A file keeps the path that it was made under.
      if (call.name === "open" && call.path === path) {
        reads += 1;
        throw new DiskError("io", path, "bad sector");
      }
    };
    const store = await openTestStore(disk, { seed: 2 });
    expect(store.recovered.lost).toMatchObject({ from: 4, description: expect.stringContaining(`${path} can't be read: bad sector`) });
    expect(reads).toBe(1);
    await store.close();
  });

  test("keeps no more than four sets of damaged files", async () => {
    const { disk, entries } = await makeSoundDirectory({ lastIndex: 10 });
    for (let start = 2; start < 10; start++) {
      spoil(disk, wal(disk, 0), 2 * PAGE_BYTES + 100);
      const store = await openTestStore(disk, { seed: start });
      expect(store.recovered).toMatchObject({ entries: [], lost: { from: 1 } });
      await store.append({ hardState: hardState(2, 3), entries });
      await store.close();
    }
    const sets = new Set(disk.files("/data/damaged").map((path) => path.slice("/data/damaged/".length).slice(0, 16)));
    expect(sets.size).toBe(4);
  });

  test("opens also if the damaged files can't be moved away", async () => {
    const { disk, entries } = await makeSoundDirectory({ lastIndex: 14 });
    spoilMiddle(disk);
    disk.before = ({ name, path }) => {
      if (name === "rename" && /\/[0-9a-f]{16}\.wal$/.test(path)) throw new DiskError("io", path, "on another device");
    };
    const logger = new LineLogger();
    const store = await openTestStore(disk, { seed: 2, logger });
    expect(logger.at("warn")).toContain("damaged files could not be moved away");
    await store.append({ hardState: hardState(2, 3, 14), entries: entries.slice(4) });
    await store.endRepair();
    await store.close();
    disk.before = () => {};
    const again = await openTestStore(disk, { seed: 3 });
    expect(again.recovered.lost).toBeNull();
    expect(firstMissing(again, entries)).toBe(15);
    await again.close();
  });
});

describe("a power loss while a damaged directory is opened", () => {
  const damaged = cases.filter(({ lostFrom }) => lostFrom !== null);

  /** Opens what is left and lets a leader repair it. Returns what is wrong, or null. */
  async function checkRepair(disk: MemoryDisk, { made, snapshotIndex, lostFrom }: Case, seed: number): Promise<string | null> {
    const { entries } = await makeSoundDirectory(made);
    const store = await openTestStore(disk, { seed });
    const { lost, snapshot: found, hardState: hard } = store.recovered;
    if (lost === null || lost.from !== lostFrom) return `lost is ${lost?.from}, expected ${lostFrom}`;
    if (firstMissing(store, entries) < lost.from) return `entries before ${lost.from} are missing`;
    if (hard.term !== 2 || hard.vote !== 3) return `term ${hard.term} and vote ${hard.vote}`;
    if ((found?.index ?? 0) !== snapshotIndex) return `snapshot ${found?.index ?? 0}`;
    await store.append({ hardState: null, entries: entries.slice(lost.from - 1) });
    await store.endRepair();
    await store.close();
    const again = await openTestStore(disk, { seed: seed + 1 });
    const missing = firstMissing(again, entries);
    await again.close();
    if (again.recovered.lost !== null) return "it is still under repair";
    return missing > entries.length ? null : `entry ${missing} is gone after the repair`;
  }

  test.each(damaged)("loses nothing more, at any call: $what", async (damage) => {
    const wrong: string[] = [];
    let states = 0;
    const { disk: sound } = await makeSoundDirectory(damage.made);
    damage.damage(sound);
    for (let call = 1; ; call++) {
      const disk = sound.afterKill();
      disk.crashAtCall(call);
      const opened = await openTestStore(disk, { seed: call }).catch(() => null);
      if (disk.callCount < call) break;
      await opened?.close().catch(() => {});
      for (let state = 0; state < 4; state++) {
        const random = new SeededRandom(call * 100 + state);
        const left = disk.afterPowerLoss(() => random.below(4) < state + (state === 3 ? 1 : 0));
        // Every third state loses its power again while it recovers.
        const second = state === 1 ? left.afterKill() : null;
        if (second !== null) {
          second.crashAtCall(1 + ((call * 7) % 60));
          await (await openTestStore(second, { seed: 7_000 + call }).catch(() => null))?.close().catch(() => {});
        }
        states += 1;
        const problem = await checkRepair(second?.afterPowerLoss(() => random.below(2) === 0) ?? left, damage, call * 1_000 + state);
        if (problem !== null) wrong.push(`call ${call}, state ${state}: ${problem}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(states).toBeGreaterThan(100);
  });
});

describe("two snapshots", () => {
  test("are kept, with the log that goes on from the older one", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14, snapshots: [3, 6, 12] });
    expect(disk.files("/data/snap")).toEqual([snapshot(6), snapshot(12)]);
    const store = await openTestStore(disk, { seed: 2 });
    expect(store.recovered.snapshot).toEqual(snapshotMeta(12, 2));
    expect(store.recovered.entries[0]?.index).toBeLessThanOrEqual(7);
    expect(store.recovered.entries[0]?.index).toBeGreaterThan(1);
    await store.compact(12);
    expect(disk.files("/data/snap")).toEqual([snapshot(6), snapshot(12)]);
    await store.close();
    const again = await openTestStore(disk, { seed: 3 });
    expect(again.recovered.entries[0]?.index).toBeLessThanOrEqual(7);
    await again.close();
  });
});
