import { expect, test } from "vitest";
import { EntryMemory } from "./entry-memory.ts";
import { EntryRun } from "./entry-run.ts";
import type { ScannedBatch, SegmentScan } from "./segment-scan.ts";

/** A segment of batches with one entry each, of 64 bytes, after which everything up to `provenSeq` is known to be durable. */
function segment(number: number, seqs: readonly number[], provenSeq: number): SegmentScan {
  const batches = seqs.map((seq): ScannedBatch => {
    const run = new EntryRun(new DataView(new ArrayBuffer(64)), number, 0, { index: seq, term: 1 });
    return { offset: 0, previousCrc: 0, lastSeq: seq, lastCrc: 0, index: seq, term: 1, commitIndex: 0, records: [run] };
  });
  const stop = { kind: "zero", batchOffset: 0, offset: 0, what: "", entries: 0 } as const;
  const header = {
    clusterId: 1n,
    memberId: 1n,
    storeId: 1n,
    number,
    salt: new Uint8Array(8),
    sizeBytes: 0,
    bootGeneration: 1,
    createdMs: 0,
  };
  return { path: "", header, open: null, openPreviousCrc: 0, batches, stop, evidenceSeq: provenSeq, highestSeq: 0 };
}

function released(scans: readonly SegmentScan[]): readonly number[] {
  const runs = scans.flatMap(({ batches }) => batches.flatMap(({ records }) => records));
  return runs.flatMap((run) => (run.type === "entries" && run.isReleased ? [run.firstIndex] : []));
}

test("above its limit the oldest segments are released", () => {
  const memory = new EntryMemory(150);
  const scans = [segment(1, [1], 0), segment(2, [2], 1), segment(3, [3], 2), segment(4, [4, 5], 4)];
  const seen = scans.map((scan) => {
    memory.add(scan);
    return released(scans).join();
  });
  expect(seen).toEqual(["", "", "1", "1,2,3"]);
});

test("what nothing proves to be durable stays, and what is behind it, until something does", () => {
  const memory = new EntryMemory(0);
  const scans = [segment(1, [1, 2], 1), segment(2, [3], 1), segment(3, [4], 3)];
  const seen = scans.map((scan) => {
    memory.add(scan);
    return released(scans).join();
  });
  expect(seen).toEqual(["1", "1", "1,2,3"]);
});
