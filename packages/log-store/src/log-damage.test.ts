import type { LogEntry } from "@raftkv/raft-core";
import { beforeAll, describe, expect, test } from "vitest";
import { segmentNumberOf } from "./data-directory.ts";
import { PAGE_BYTES, SECTOR_BYTES } from "./format.ts";
import { readLog } from "./log-reading.ts";
import { recoverLog } from "./log-recovery.ts";
import { LogStoreError } from "./log-store-error.ts";
import { readMeta } from "./meta-file.ts";
import type { MetaRecord } from "./meta-record.ts";
import { type FoundSegment, judgeSegment } from "./segment-reading.ts";
import { noSnapshots } from "./snapshot-search.ts";
import {
  chunksOf,
  hardState,
  LineLogger,
  openTestStore,
  SeededRandom,
  snapshotMeta,
  testEntries,
  testIdentity,
} from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

interface SegmentBytes {
  readonly path: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

interface Log {
  readonly disk: MemoryDisk;
  readonly meta: MetaRecord;
  readonly segments: readonly SegmentBytes[];
  readonly found: readonly FoundSegment[];
}

/**
 * `same`: everything is there. `cut`: the last batch, which nothing proves to have been synced, is gone. `repair`: what may be gone is
 * named, and everything below is there. `refused`: a coded error. `wrong`: something is gone or different, silently.
 */
type Verdict = "same" | "cut" | "repair" | "refused" | "wrong";

let log: Log;
/** The same as `log`, of a member that was killed before the last batch was sealed. */
let unsealed: Log;
let everything: readonly LogEntry[];
let withoutLastBatch: readonly LogEntry[];

function same(a: readonly LogEntry[], b: readonly LogEntry[]): boolean {
  return a.length === b.length && agreeUpTo(a, b) === a.length;
}

/** How many entries from the beginning on are the same. */
function agreeUpTo(a: readonly LogEntry[], b: readonly LogEntry[]): number {
  const differs = a.findIndex((entry, at) => entry.index !== b[at]?.index || entry.term !== b[at].term || !equal(entry.data, b[at].data));
  return differs < 0 ? a.length : differs;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

async function readSegments(disk: MemoryDisk): Promise<Log> {
  const meta = (await readMeta(disk, "/data", null))?.record ?? null;
  if (meta === null) throw new Error("The log has no meta file");
  const segments = disk.files("/data/wal/").flatMap((path) => {
    const number = segmentNumberOf(path.slice("/data/wal/".length));
    return number === null ? [] : [{ path, number, bytes: disk.peek(path) }];
  });
  return { disk, meta, segments, found: segments.map((segment) => judgeSegment(segment.bytes, segment, testIdentity)) };
}

/** What opening decides if segment `at` holds `bytes`; null if its file is gone. */
function judge(at: number, bytes: Uint8Array | null, { segments, found, meta } = log): Verdict {
  const segment = segments[at];
  if (segment === undefined) throw new Error(`There is no segment ${at}`);
  try {
    const changed = bytes === null ? [] : [judgeSegment(bytes, segment, testIdentity)];
    const { entries, lost } = recoverLog(readLog(found.toSpliced(at, 1, ...changed), meta), noSnapshots, meta);
    if (lost !== null) return lost.from <= 1 + agreeUpTo(entries, everything) ? "repair" : "wrong";
    if (same(entries, everything)) return "same";
    return same(entries, withoutLastBatch) ? "cut" : "wrong";
  } catch (reason) {
    if (reason instanceof LogStoreError && reason.code !== "ERR_STORAGE_FAILED") return "refused";
    throw reason;
  }
}

function isZeroed(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Where the last batch with entries stands. */
function lastBatch({ found }: Log): { readonly at: number; readonly offset: number } {
  const at = found.findLastIndex((segment) => "scan" in segment && segment.scan.batches.length > 0);
  const segment = found[at];
  const batch = segment !== undefined && "scan" in segment ? segment.scan.batches.findLast(({ records }) => records.length > 0) : undefined;
  if (batch === undefined) throw new Error("The log has no batch");
  return { at, offset: batch.offset };
}

beforeAll(async () => {
  // Two starts, a rotation, a replaced tail; the last batch is of one page, with entries that fill several sectors.
  const disk = new MemoryDisk();
  let store = await openTestStore(disk, { seed: 1 });
  for (let index = 1; index <= 5; index++)
    await store.append({ hardState: hardState(1, 1, index - 1), entries: testEntries(index, index, 1) });
  await store.append({ hardState: hardState(2, 2), entries: testEntries(5, 7, 2, 700) });
  await store.close();
  store = await openTestStore(disk, { seed: 2 });
  await store.append({ hardState: null, entries: testEntries(8, 8, 2) });
  await store.append({ hardState: null, entries: testEntries(9, 10, 2, 900) });
  unsealed = await readSegments(disk.afterKill());
  await store.close();
  log = await readSegments(disk);
  everything = [...testEntries(1, 4, 1), ...testEntries(5, 7, 2, 700), ...testEntries(8, 8, 2), ...testEntries(9, 10, 2, 900)];
  withoutLastBatch = [...testEntries(1, 4, 1), ...testEntries(5, 7, 2, 700), ...testEntries(8, 8, 2)];
});

describe("a log without damage", () => {
  test("spans three segments that hold frames and one prepared ahead", () => {
    const used = log.found.map((segment) => ("scan" in segment ? segment.scan.batches.length : -1));
    expect(used.filter((batches) => batches > 0).length).toBeGreaterThanOrEqual(3);
    expect(judge(0, log.segments[0]?.bytes ?? null)).toBe("same");
  });
});

describe("a damaged log", () => {
  test("is intact, or says what is lost, after the change of any one bit", () => {
    const counts = { same: 0, cut: 0, repair: 0, refused: 0, wrong: 0 };
    const random = new SeededRandom(7);
    log.segments.forEach(({ bytes }, at) => {
      const changed = bytes.slice();
      for (let sector = 0; sector < bytes.length; sector += SECTOR_BYTES) {
        const empty = isZeroed(bytes.subarray(sector, sector + SECTOR_BYTES));
        // Every bit where something was written; four in each sector of zeros.
        const bits = empty
          ? Array.from({ length: 4 }, () => random.below(SECTOR_BYTES * 8))
          : Array.from({ length: SECTOR_BYTES * 8 }, (_, bit) => bit);
        for (const bit of bits) {
          const position = sector + (bit >> 3);
          changed[position] = (bytes[position] ?? 0) ^ (1 << (bit & 7));
          counts[judge(at, changed)] += 1;
          changed[position] = bytes[position] ?? 0;
        }
      }
    });
    expect(counts).toMatchObject({ wrong: 0, cut: 0, refused: 0 });
    expect(counts.repair).toBeGreaterThan(40_000);
    expect(counts.same).toBeGreaterThan(1_000);
  });

  /** Replaces each block of a log by zeros, ones, rubbish and its neighbour. Returns what was cut and what went wrong. */
  function replaceBlocks(target: Log, blockBytes: number): { readonly cuts: readonly string[]; readonly wrong: readonly string[] } {
    const random = new SeededRandom(blockBytes);
    const last = lastBatch(target);
    const wrong: string[] = [];
    const cuts: string[] = [];
    target.segments.forEach(({ bytes }, at) => {
      for (let block = 0; block < bytes.length; block += blockBytes) {
        const neighbour = block === 0 ? blockBytes : block - blockBytes;
        const replacements: readonly (readonly [string, Uint8Array])[] = [
          ["zeros", new Uint8Array(blockBytes)],
          ["ones", new Uint8Array(blockBytes).fill(0xff)],
          ["rubbish", random.bytes(blockBytes)],
          ["its neighbour", bytes.slice(neighbour, neighbour + blockBytes)],
        ];
        for (const [name, replacement] of replacements) {
          const changed = bytes.slice();
          changed.set(replacement, block);
          const verdict = judge(at, changed, target);
          const what = `${name} at ${block} of segment ${at}: ${verdict}`;
          // The one thing that looks like a lost write: zeros in the last batch, if nothing proves that it was synced.
          const unproven = at === last.at && block + blockBytes > last.offset && isZeroed(replacement);
          if (verdict === "cut" && unproven) cuts.push(what);
          else if (verdict !== "same" && verdict !== "repair") wrong.push(what);
        }
      }
    });
    return { cuts, wrong };
  }

  test.each([SECTOR_BYTES, PAGE_BYTES])("is intact, or says what is lost, after any block of %i bytes was replaced", (blockBytes) => {
    expect(replaceBlocks(log, blockBytes)).toEqual({ cuts: [], wrong: [] });
  });

  test.each([SECTOR_BYTES, PAGE_BYTES])(
    "without a seal may lose its last batch, and no other, to a block of %i bytes that became zero",
    (blockBytes) => {
      const { cuts, wrong } = replaceBlocks(unsealed, blockBytes);
      expect(wrong).toEqual([]);
      expect(cuts.length).toBeGreaterThan(0);
    },
  );

  test("says what is lost if a segment is cut off anywhere, longer, or gone", () => {
    const wrong: string[] = [];
    log.segments.forEach(({ bytes }, at) => {
      for (let length = 0; length < bytes.length; length++) {
        const verdict = judge(at, bytes.subarray(0, length));
        if (verdict !== "repair") wrong.push(`segment ${at} with ${length} bytes is ${verdict}`);
      }
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      expect(judge(at, longer)).toBe("repair");
      expect(judge(at, null)).toBe("repair");
    });
    expect(wrong).toEqual([]);
  });

  test("is intact, or says what is lost, if pages change places, within a segment or between two", () => {
    const wrong: string[] = [];
    for (const [at, { bytes }] of log.segments.entries()) {
      for (const { bytes: source } of log.segments) {
        for (let from = 0; from < source.length; from += PAGE_BYTES) {
          const page = source.subarray(from, from + PAGE_BYTES);
          if (isZeroed(page)) continue;
          for (let to = 0; to < bytes.length; to += PAGE_BYTES) {
            const changed = bytes.slice();
            changed.set(page, to);
            const verdict = judge(at, changed);
            if (verdict !== "repair" && verdict !== "same")
              wrong.push(`a page at ${to} of segment ${at} that came from ${from}: ${verdict}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test("is refused if a segment stands under another's name", async () => {
    const [first, second] = log.segments;
    if (first === undefined || second === undefined) throw new Error("The log has several segments");
    const { disk } = log;
    disk.poke(first.path, second.bytes);
    await expect(openTestStore(disk)).rejects.toMatchObject({ code: "ERR_FOREIGN_FILE" });
    disk.poke(first.path, first.bytes);
  });
});

describe("a torn last batch", () => {
  test("is cut off and reported, whichever of its sectors are there", async () => {
    const disk = new MemoryDisk();
    // A file keeps the path that it was made under.
    let segmentPath = "";
    disk.before = ({ name, path }) => {
      if (name === "open" && path.includes("/wal/prep-") && segmentPath === "") segmentPath = path;
    };
    const store = await openTestStore(disk, { segmentBytes: 64 * 1024, firstSegmentBytes: 64 * 1024 });
    await store.append({ hardState: hardState(1), entries: testEntries(1, 3, 1) });
    // The write is cut short: its sectors are on their way when the power goes.
    disk.before = ({ name, path, number }) => {
      if (path === segmentPath && name === "writeDurably") disk.crashAtCall(number);
    };
    const append = store.append({ hardState: hardState(1, 1, 3), entries: testEntries(4, 30, 1, 300) });
    await expect(append).rejects.toMatchObject({ code: "ERR_STORAGE_FAILED" });
    const counts = { cut: 0, whole: 0, nothing: 0 };
    for (let seed = 0; seed < 600; seed++) {
      const random = new SeededRandom(seed);
      const oddsOf16 = seed % 17;
      const left = disk.afterPowerLoss(() => random.below(16) < oddsOf16);
      const lines = new LineLogger();
      const found = await openTestStore(left, { logger: lines, seed });
      const lastIndex = found.recovered.entries.at(-1)?.index ?? 0;
      expect([3, 30]).toContain(lastIndex);
      const warned = lines.lines.find(({ level }) => level === "warn");
      if (lastIndex === 30) counts.whole += 1;
      else if (warned === undefined) counts.nothing += 1;
      else counts.cut += 1;
      expect(warned?.fields ?? { firstIndex: 4, batchOffset: 16_384 }).toMatchObject({ firstIndex: 4, batchOffset: 16_384 });
      await found.close();
    }
    expect(counts.cut).toBeGreaterThan(400);
    expect(Math.min(counts.whole, counts.nothing)).toBeGreaterThan(0);
  });
});

describe("a damaged segment that a snapshot covers", () => {
  test("is left out, and what comes after it is served", async () => {
    const disk = new MemoryDisk();
    const store = await openTestStore(disk);
    for (let index = 1; index <= 12; index++)
      await store.append({ hardState: hardState(1, 1, index - 1), entries: testEntries(index, index, 1) });
    await store.saveSnapshot(snapshotMeta(11, 1), chunksOf(new Uint8Array(10).fill(9)));
    await store.close();
    const first = (await readSegments(disk)).segments[0];
    if (first === undefined) throw new Error("The log has several segments");
    const changed = first.bytes.slice();
    changed.fill(1, 12_288, 12_400);
    disk.poke(first.path, changed);
    const lines = new LineLogger();
    const again = await openTestStore(disk, { logger: lines, seed: 5 });
    expect(again.recovered.snapshot?.index).toBe(11);
    expect(again.recovered.entries.at(-1)?.index).toBe(12);
    expect(again.recovered.entries[0]?.index).toBeGreaterThan(1);
    expect(lines.at("warn")).toEqual(["damage was found that cost nothing", "damaged files are out of service"]);
    await again.close();
  });
});
