import { DiskError } from "@raftkv/raft-node";
import { beforeAll, describe, expect, test } from "vitest";
import { inspectDataDirectory } from "./data-inspection.ts";
import { PAGE_BYTES } from "./format.ts";
import { logRows, snapshotRows } from "./recovery-decision.ts";
import { type DamageCase, damageCases, segmentPath, snapshotPath } from "./testing/damage-cases.ts";
import { firstMissing, makeSoundDirectory, snapshotState, spoil } from "./testing/damaged-directory.ts";
import {
  chunksOf,
  hardState,
  LineLogger,
  openTestStore,
  readSnapshotBytes,
  SeededRandom,
  snapshotMeta,
  testEntries,
} from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

describe("opening", () => {
  test.each(damageCases)("$what: $decision", async ({ made, damage, decision, snapshotIndex, lastIndex, lostFrom }) => {
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
    expect(await readSnapshotBytes(store)).toEqual(snapshotIndex === 0 ? null : snapshotState(snapshotIndex));
    expect(firstMissing(store, entries)).toBe(lastIndex + 1);
    await store.close();
    expect(disk.openFiles).toBe(0);
    // It opens again to the same, and finds nothing new to complain about.
    const again = await openTestStore(disk, { seed: 3 });
    expect({ ...again.recovered, entries: again.recovered.entries.map(({ index, term }) => [index, term]) }).toEqual({
      ...recovered,
      entries: recovered.entries.map(({ index, term }) => [index, term]),
      // What the first start wrote again, the second one finds on the disk.
      logBytes: expect.any(Number),
    });
    await again.close();
  });

  test("reaches every row of the decision tables", () => {
    const reached = new Set(damageCases.flatMap(({ decision }) => decision.split(" ")));
    expect([...logRows, ...snapshotRows].map(({ name }) => name).filter((name) => !reached.has(name))).toEqual([]);
  });
});

describe("a store that lost entries", () => {
  const spoilMiddle = (disk: MemoryDisk): void => spoil(disk, segmentPath(disk, 1), 3 * PAGE_BYTES + 100);

  test("says where and what, in this and every later start, until the repair ends", async () => {
    const { disk, entries } = await makeSoundDirectory({ lastIndex: 14 });
    const path = segmentPath(disk, 1);
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

  test("names the first file that is damaged, if nothing of the log can be read", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14, snapshots: [5, 9] });
    const first = segmentPath(disk, 0);
    for (const path of disk.files("/data/wal")) spoil(disk, path, 2 * PAGE_BYTES + 20);
    const store = await openTestStore(disk, { seed: 2 });
    expect(store.recovered.lost).toMatchObject({ from: 10, description: expect.stringMatching(`^${first} at offset ${2 * PAGE_BYTES}: `) });
    await store.close();
  });

  test("knows the commit index that it had when the repair ended", async () => {
    const { disk, entries } = await makeSoundDirectory({ lastIndex: 14 });
    spoilMiddle(disk);
    const store = await openTestStore(disk, { seed: 2 });
    await store.append({ hardState: hardState(2, 3, 4), entries: entries.slice(4) });
    await store.append({ hardState: hardState(2, 3, 13), entries: [] });
    await store.endRepair();
    const again = await openTestStore(
      disk.afterPowerLoss(() => false),
      { seed: 3 },
    );
    expect(again.recovered).toMatchObject({ lost: null, hardState: { commit: 13 } });
    const before = disk.files("/data/wal").length;
    await store.endRepair();
    expect(disk.files("/data/wal")).toHaveLength(before);
    await again.close();
    await store.close();
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
    disk.lose(segmentPath(disk, 1));
    disk.lose(segmentPath(disk, 1));
    const again = await openTestStore(disk, { seed: 3 });
    expect(again.recovered.hardState.term).toBe(3);
    expect(again.recovered.entries.map(({ term }) => term)).toEqual([2, 2, 2, 2, 2, 2, 2]);
    expect(again.recovered.lost?.from).toBe(4);
    await again.close();
  });

  test("lowers the first lost index if it is damaged again, and never raises it", async () => {
    const { disk, entries } = await makeSoundDirectory({ lastIndex: 14 });
    spoil(disk, segmentPath(disk, 2), 3 * PAGE_BYTES + 100);
    const first = await openTestStore(disk, { seed: 2 });
    expect(first.recovered.lost?.from).toBe(9);
    await first.close();
    spoil(disk, segmentPath(disk, 0), 3 * PAGE_BYTES + 100);
    const second = await openTestStore(disk, { seed: 3 });
    expect(second.recovered.lost?.from).toBe(1);
    await second.append({ hardState: hardState(2, 3), entries });
    await second.close();
    spoil(disk, segmentPath(disk, -1), 2 * PAGE_BYTES + 100);
    const third = await openTestStore(disk, { seed: 4 });
    expect(third.recovered.lost?.from).toBe(1);
    await third.close();
  });

  test("counts a segment that can't be read as damaged", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14 });
    const path = segmentPath(disk, 1);
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
      spoil(disk, segmentPath(disk, 0), 2 * PAGE_BYTES + 100);
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
    expect(logger.at("warn")).toContain("a damaged file could not be moved away");
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
  const damaged = damageCases.filter(({ lostFrom }) => lostFrom !== null);

  /** Opens what is left and lets a leader repair it. Returns what is wrong, or null. */
  async function checkRepair(disk: MemoryDisk, { made, snapshotIndex, lostFrom }: DamageCase, seed: number): Promise<string | null> {
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

describe("damage after a compaction", () => {
  const made = { lastIndex: 14, snapshots: [9, 12] };

  test("is described without the segments that the compaction removed, whichever page it hits", async () => {
    const { disk: sound } = await makeSoundDirectory(made);
    expect(segmentPath(sound, 0)).not.toMatch(/0001\.wal$/);
    const decisions = new Set<string>();
    for (const path of sound.files("/data/wal")) {
      for (let page = 2 * PAGE_BYTES; page < sound.peek(path).length; page += PAGE_BYTES) {
        const disk = sound.afterKill();
        disk.poke(path, disk.peek(path).fill(0x55, page, page + PAGE_BYTES));
        const { decision, lost } = await inspectDataDirectory(disk, "/data");
        expect(decision).not.toMatch(/L[89]/);
        if (lost === null) continue;
        decisions.add(decision ?? "");
        expect(lost.description).not.toContain("missing");
        expect(lost.description.startsWith(`${path} at offset ${page}: `)).toBe(true);
      }
    }
    expect(decisions).toEqual(new Set(["L6 L1 S6", "L6 S1", "L5 S1"]));
  });

  test.each<[string, RegExp, string, (disk: MemoryDisk) => void]>([
    [
      "all segments are gone",
      /^no segment is left of the \d that were put in place; entries from log index 13 on may be lost$/,
      "L8 S6",
      (disk) => {
        for (const path of disk.files("/data/wal")) disk.lose(path);
      },
    ],
    [
      "all segments hold nothing but zeros",
      /^\S+wal and what comes after it hold nothing, but older segments are gone; entries from log index 13 on may be lost$/,
      "L8 S6",
      (disk) => {
        for (const path of disk.files("/data/wal")) disk.poke(path, disk.peek(path).fill(0, 2 * PAGE_BYTES));
      },
    ],
    [
      "both snapshots are wrong",
      /^Snapshot \S+ is damaged at offset 0: [^;]*; Snapshot \S+ is damaged at offset 0: [^;]*; entries from log index 1 on may be lost$/,
      "L1 S4",
      (disk) => {
        for (const path of disk.files("/data/snap")) spoil(disk, path, 60);
      },
    ],
  ])("says what is known: %s", async (_, description, expectedDecision, damage) => {
    const { disk } = await makeSoundDirectory(made);
    damage(disk);
    const { decision, lost } = await inspectDataDirectory(disk, "/data");
    expect(lost?.description).toMatch(description);
    expect(decision).toBe(expectedDecision);
  });
});

describe("a snapshot of an earlier store of the same member", () => {
  const earlier = new MemoryDisk();

  beforeAll(async () => {
    const store = await openTestStore(earlier, { seed: 50 });
    await store.append({ hardState: hardState(2), entries: testEntries(1, 12, 2) });
    await store.saveSnapshot(snapshotMeta(12, 2), chunksOf(snapshotState(12)));
    await store.close();
  });

  test.each([
    ["beside a log whose end is damaged", [5], (disk: MemoryDisk) => disk.poke(segmentPath(disk, -1), new Uint8Array(9_000))],
    ["in the place of one that is gone", [5, 12], (disk: MemoryDisk) => disk.lose(snapshotPath(12))],
  ])("is never used, but refused: %s", async (_, snapshots, damage) => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14, snapshots });
    damage(disk);
    disk.poke(snapshotPath(12), earlier.peek(snapshotPath(12)));
    await expect(openTestStore(disk, { seed: 2 })).rejects.toMatchObject({
      code: "ERR_FOREIGN_FILE",
      message: expect.stringMatching(`${snapshotPath(12)} belongs to an earlier store of this member`),
    });
    const { files } = await inspectDataDirectory(disk, "/data");
    expect(files.find(({ path }) => `/data/${path}` === snapshotPath(12))?.verdict).toBe("foreign");
    disk.lose(snapshotPath(12));
    await (await openTestStore(disk, { seed: 2 })).close();
  });
});

describe("two snapshots", () => {
  test("are kept, with the log that goes on from the older one", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14, snapshots: [3, 6, 12] });
    expect(disk.files("/data/snap")).toEqual([snapshotPath(6), snapshotPath(12)]);
    const store = await openTestStore(disk, { seed: 2 });
    expect(store.recovered.snapshot).toEqual(snapshotMeta(12, 2));
    expect(store.recovered.entries[0]?.index).toBeLessThanOrEqual(7);
    expect(store.recovered.entries[0]?.index).toBeGreaterThan(1);
    await store.compact(12);
    expect(disk.files("/data/snap")).toEqual([snapshotPath(6), snapshotPath(12)]);
    await store.close();
    const again = await openTestStore(disk, { seed: 3 });
    expect(again.recovered.entries[0]?.index).toBeLessThanOrEqual(7);
    await again.close();
  });
});
