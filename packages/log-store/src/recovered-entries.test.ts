import type { LogEntry } from "@raftkv/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchEncoder } from "./batch-encoder.ts";
import { type EntryRun, gather } from "./entry-run.ts";
import { FRAMES_OFFSET, type LogPosition, PAGE_BYTES } from "./format.ts";
import { saltCrcOf } from "./frame.ts";
import { RecoveredEntries } from "./recovered-entries.ts";
import { scanSegment } from "./segment-scan.ts";
import { testIdentity } from "./testing/fixture.ts";

const salt = new Uint8Array(8);

function entriesAfter({ index }: LogPosition, count: number, term: number): readonly LogEntry[] {
  return Array.from({ length: count }, (_, at) => ({
    index: index + 1 + at,
    term,
    kind: at % 3 === 0 ? "empty" : "command",
    data: Uint8Array.from({ length: at * 7 }, (_byte, place) => term + place),
  }));
}

/** The entries as they are read from a segment that begins behind `base`. */
function runOf(base: LogPosition, entries: readonly LogEntry[]): EntryRun {
  const encoder = new BatchEncoder();
  encoder.begin({ saltCrc: saltCrcOf(salt), offset: FRAMES_OFFSET, firstSeq: 1, durableSeq: 0, previousCrc: 0, ...base });
  encoder.addOpen({ type: "open", reason: "rotate", previousSegment: 1, previousSeq: 0, baseIndex: base.index, baseTerm: base.term });
  for (const entry of entries) encoder.addEntry(entry);
  const { chunks, sizeBytes } = encoder.finish(0, 0);
  const file = new Uint8Array(FRAMES_OFFSET + sizeBytes + PAGE_BYTES);
  file.set(Buffer.concat(chunks), FRAMES_OFFSET);
  const header = { ...testIdentity, storeId: 1n, number: 2, salt, sizeBytes: file.length, bootGeneration: 1, createdMs: 0 };
  const run = scanSegment("/segment", file, header).batches[0]?.records[1];
  if (run?.type !== "entries") throw new Error("The segment has no entries");
  return run;
}

describe("the entries of a segment", () => {
  const base = { index: 10, term: 2 };
  const entries = entriesAfter(base, 5, 3);

  test("are read where they lie, each as it was written", () => {
    const run = runOf(base, entries);
    expect([run.firstIndex, run.lastIndex, run.count]).toEqual([11, 15, 5]);
    expect([...run.entries()]).toEqual(entries);
    expect([...run.entries(12, 13)]).toEqual(entries.slice(1, 3));
    expect([...run.positions(14, 15)]).toEqual([
      { index: 14, term: 3 },
      { index: 15, term: 3 },
    ]);
  });

  test("keep their own frames in memory, and nothing else of the segment", () => {
    const run = runOf(base, entries);
    const buffers = new Set([...run.entries()].map(({ data }) => data.buffer));
    expect(run.sizeBytes).toBe(5 * 64 + 8 + 16 + 24 + 32 + 40);
    expect([...buffers].map(({ byteLength }) => byteLength)).toEqual([run.sizeBytes]);
  });

  test("are the same when they are moved together with others", () => {
    const runs = [runOf(base, entries), runOf({ index: 15, term: 3 }, entriesAfter({ index: 15, term: 3 }, 3, 4))];
    const before = runs.map((run) => [...run.entries()].map((entry) => ({ ...entry, data: entry.data.slice() })));
    gather(runs);
    expect(runs.map((run) => [...run.entries()])).toEqual(before);
  });

  test("are gone when the run is released, but not where they stood", () => {
    const run = runOf(base, [...entries, ...entriesAfter({ index: 15, term: 3 }, 2, 5)]);
    expect(run.isReleased).toBe(false);
    run.release();
    expect([run.isReleased, run.firstIndex, run.lastIndex, run.count]).toEqual([true, 11, 17, 7]);
    expect([...run.positions(14, 17)].map(({ term }) => term)).toEqual([3, 3, 5, 5]);
    expect([run.segment, run.offset]).toEqual([2, FRAMES_OFFSET + 104]);
    expect(() => [...run.entries()]).toThrow("The entries of the run are in memory");
  });

  test("are not read beyond the run", () => {
    expect(() => runOf(base, entries).termAt(16)).toThrow("The run has the entry");
  });
});

test("of recovered entries the newest that was released is known", () => {
  const log = new RecoveredEntries({ index: 10, term: 2 });
  const runs = [4, 3, 2].map((count, at) => {
    const before = { index: log.last.index, term: log.last.term };
    const run = runOf(before, entriesAfter(before, count, 2 + at));
    log.append(run);
    return run;
  });
  expect(log.lastReleased).toBe(0);
  runs[0]?.release();
  expect(log.lastReleased).toBe(14);
  runs[1]?.release();
  log.truncate({ index: 16, term: 3 });
  expect(log.lastReleased).toBe(16);
});

describe("recovered entries", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ type: fc.constant("append" as const), count: fc.integer({ min: 1, max: 6 }), newTerm: fc.boolean() }),
      fc.record({ type: fc.constant("truncate" as const), back: fc.integer({ min: 1, max: 14 }) }),
    ),
    { maxLength: 12 },
  );

  test("are those of a list that grew and was cut in the same way", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const log = new RecoveredEntries({ index: 20, term: 1 });
        let base: LogPosition = log.base;
        let list: readonly LogEntry[] = [];
        let term = 1;
        for (const step of taken) {
          const { index, term: lastTerm } = list.at(-1) ?? base;
          if (step.type === "append") {
            if (step.newTerm) term += 1;
            const entries = entriesAfter({ index, term: lastTerm }, step.count, term);
            log.append(runOf({ index, term: lastTerm }, entries));
            list = [...list, ...entries];
          } else {
            const end = Math.max(0, index - step.back);
            const kept = list.filter((entry) => entry.index <= end);
            const endTerm = kept.at(-1)?.term ?? 1;
            log.truncate({ index: end, term: endTerm });
            if (end < base.index) base = { index: end, term: endTerm };
            list = kept;
          }
        }
        const { index: lastIndex, term: lastTerm } = list.at(-1) ?? base;
        expect(log.base).toEqual(base);
        expect(log.last).toEqual({ index: lastIndex, term: lastTerm });
        expect([...log.positions()]).toEqual(list.map((entry) => ({ index: entry.index, term: entry.term })));
        for (const from of [0, base.index, base.index + 4, lastIndex]) {
          for (const to of [from + 3, lastIndex]) {
            const found = log.parts(from, to).flatMap((part) => [...part.run.entries(part.from, part.to)]);
            expect(found).toEqual(list.filter(({ index }) => index > from && index <= to));
          }
        }
        for (const { index, term: own } of log.positions()) expect(log.termAt(index)).toBe(own);
        for (let index = base.index - 1; index <= lastIndex + 1; index++) {
          const known = index === base.index ? base.term : list.find((entry) => entry.index === index)?.term;
          expect([log.holds({ index, term: known ?? 1 }), log.holds({ index, term: 99 })]).toEqual([known !== undefined, false]);
        }
      }),
    );
  });
});
