import type { LogEntry } from "@raftkv/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchEncoder, type BatchStart, type EncodedBatch } from "./batch-encoder.ts";
import { FRAMES_OFFSET, isZero, PAGE_BYTES, SECTOR_BYTES, viewOf } from "./format.ts";
import { decodeFrameHeader, frameBytes, saltCrcOf } from "./frame.ts";
import { type ScanStop, scanSegment } from "./segment-scan.ts";
import { testEntry, testIdentity } from "./testing/fixture.ts";

const salt = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const path = "/segment";

/** Data with stretches of zeros, in all sizes around a sector and a page. */
const entryData = fc
  .array(
    fc.record({ length: fc.oneof(fc.nat(20), fc.nat(1_500), fc.constantFrom(504, 512, 1_024, 4_096)), fill: fc.constantFrom(0, 0, 7) }),
    {
      maxLength: 6,
    },
  )
  .map((runs) => Uint8Array.from(runs.flatMap(({ length, fill }) => new Array<number>(length).fill(fill))));
const entriesOf = fc.array(fc.record({ kind: fc.constantFrom("command", "empty"), data: entryData }), { minLength: 1, maxLength: 6 });

function numbered(entries: readonly Pick<LogEntry, "kind" | "data">[]): readonly LogEntry[] {
  return entries.map(({ kind, data }, at) => ({ index: at + 1, term: 1, kind, data }));
}

function encode(entries: readonly LogEntry[], referencedBytesMin?: number): EncodedBatch {
  const encoder = new BatchEncoder(referencedBytesMin);
  const start: BatchStart = {
    saltCrc: saltCrcOf(salt),
    offset: FRAMES_OFFSET,
    firstSeq: 1,
    durableSeq: 0,
    previousCrc: 0,
    index: 0,
    term: 0,
  };
  encoder.begin(start);
  encoder.addOpen({ type: "open", reason: "first", previousSegment: 0, previousSeq: 0, baseIndex: 0, baseTerm: 0 });
  for (const entry of entries) encoder.addEntry(entry);
  return encoder.finish(0, 1_700_000_000_000);
}

function segmentOf({ chunks, sizeBytes }: EncodedBatch): Uint8Array {
  const file = new Uint8Array(FRAMES_OFFSET + sizeBytes + PAGE_BYTES);
  let at = FRAMES_OFFSET;
  for (const chunk of chunks) {
    file.set(chunk, at);
    at += chunk.length;
  }
  return file;
}

/** Whether the entries that are read are the ones that were put in, and what follows them. */
function scan(
  file: Uint8Array,
  entries: readonly LogEntry[],
): { readonly found: "all" | "none" | "other"; readonly stop: ScanStop["kind"] } {
  const header = { ...testIdentity, storeId: 1n, number: 1, salt, sizeBytes: file.length, bootGeneration: 1, createdMs: 0 };
  const { batches, stop } = scanSegment(path, file, header);
  const read = batches.flatMap(({ records }) => records.flatMap((record) => (record.type === "entries" ? [...record.entries()] : [])));
  const same = read.every(({ index, kind, data }, at) => {
    const entry = entries[at];
    return entry?.index === index && entry.kind === kind && Buffer.compare(entry.data, data) === 0;
  });
  const found = same && read.length === entries.length ? "all" : read.length === 0 ? "none" : "other";
  return { found, stop: stop.kind };
}

describe("a batch", () => {
  test("has the same bytes whether its data are copied or referred to, and reads as what was put in", () => {
    fc.assert(
      fc.property(entriesOf, (given) => {
        const entries = numbered(given);
        const copied = encode(entries, Infinity);
        const referred = encode(entries, 1);
        expect(referred.sizeBytes).toBe(copied.sizeBytes);
        expect(Buffer.compare(segmentOf(referred), segmentOf(copied))).toBe(0);
        expect({ ...referred, chunks: [] }).toEqual({ ...copied, chunks: [] });
        expect(copied.sizeBytes % PAGE_BYTES).toBe(0);
        expect(scan(segmentOf(copied), entries)).toEqual({ found: "all", stop: "zero" });
      }),
      { numRuns: 300 },
    );
  });

  test("refers to the data of large entries and copies those of small ones", () => {
    const [small, large] = [testEntry(1, 1, 1_000), testEntry(2, 1, 100_000)];
    const { chunks } = encode([small, large]);
    expect(chunks.map((chunk) => chunk === large.data)).toEqual([false, true, false]);
  });

  test("may be larger than the buffers that it is built in", () => {
    const entries = Array.from({ length: 2_000 }, (_, at) => testEntry(at + 1, 1, 5_000));
    const batch = encode(entries);
    expect(batch.chunks.length).toBeGreaterThan(1);
    expect(scan(segmentOf(batch), entries)).toEqual({ found: "all", stop: "zero" });
  });

  test("counts in each frame the sectors that are zero because its payload is", () => {
    fc.assert(
      fc.property(entriesOf, (given) => {
        const file = segmentOf(encode(numbered(given)));
        const view = viewOf(file);
        let at = FRAMES_OFFSET;
        for (;;) {
          const header = decodeFrameHeader(file, view, at, saltCrcOf(salt));
          if (header === null) break;
          const end = at + frameBytes(header.payloadBytes);
          let zeros = 0;
          for (let sector = at - (at % SECTOR_BYTES); sector < end; sector += SECTOR_BYTES) {
            if (isZero(file, sector, sector + SECTOR_BYTES)) zeros += 1;
          }
          expect(header.zeroSectors).toBe(zeros);
          at = end;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("a last batch whose payload has sectors of zeros", () => {
  const entries = numbered([
    { kind: "command", data: Uint8Array.from({ length: 6_000 }, (_, at) => (at < 1_000 || at > 4_000 ? 9 : 0)) },
    { kind: "command", data: new Uint8Array(3_000) },
  ]);
  const { sizeBytes } = encode(entries);
  const file = segmentOf(encode(entries));

  test("is told from a torn write after the change of any byte", () => {
    const kinds = new Set<string>();
    for (let at = FRAMES_OFFSET; at < FRAMES_OFFSET + sizeBytes; at++) {
      const changed = file.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const { found, stop } = scan(changed, entries);
      // What follows the last frame on its page means nothing.
      kinds.add(found === "all" ? "same" : `${found} ${stop}`);
    }
    expect(kinds).toEqual(new Set(["none whole", "same"]));
  });

  test("is torn if any of its sectors were lost, and whole if only such that held zeros were", () => {
    const sectors = sizeBytes / SECTOR_BYTES;
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(sectors - 1), { maxLength: sectors }), (lost) => {
        const changed = file.slice();
        let nothingWasThere = true;
        for (const sector of lost) {
          const from = FRAMES_OFFSET + sector * SECTOR_BYTES;
          nothingWasThere &&= isZero(file, from, from + SECTOR_BYTES);
          changed.fill(0, from, from + SECTOR_BYTES);
        }
        const expected = isZero(changed, FRAMES_OFFSET, changed.length) ? "zero" : "torn";
        expect(scan(changed, entries)).toEqual(nothingWasThere ? { found: "all", stop: "zero" } : { found: "none", stop: expected });
      }),
      { numRuns: 2_000 },
    );
  });
});
