import { DiskError, type Logger } from "@raftkv/raft-node";
import { beforeEach, describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { setU64, viewOf } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import { createMeta, MetaFile, readMeta } from "./meta-file.ts";
import { encodeMeta, firstMetaRecord, META_PAIRS, type MetaRecord } from "./meta-record.ts";
import { LineLogger, testIdentity } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

const record: MetaRecord = {
  ...firstMetaRecord(testIdentity, 0xfedc_ba98_7654_3210n),
  generation: 12,
  term: 2 ** 40 + 3,
  vote: 2,
  bootGeneration: 4,
  lastSegment: 9,
  snapshotIndex: 77,
  snapshotTerm: 5,
  repairFrom: 0,
};
const path = "/data/meta";
let disk = new MemoryDisk();

async function read(logger: Logger | null = null): Promise<MetaRecord | undefined> {
  return (await readMeta(disk, "/data", logger))?.record;
}

async function readOrCode(): Promise<unknown> {
  return read().catch((reason: unknown) => (reason instanceof LogStoreError ? reason.code : reason));
}

/** Lets the reads of these numbers fail, from 1 on. */
function failReads(numbers: readonly number[]): void {
  let reads = 0;
  disk.before = ({ name }) => {
    if (name === "read" && numbers.includes(++reads)) throw new DiskError("io", path, "bad block");
  };
}

/** Offsets of the copies that are not as they were. */
function changedCopies(before: Uint8Array): readonly number[] {
  const bytes = disk.peek(path);
  return META_PAIRS.flat().filter((at) => Buffer.compare(bytes.subarray(at, at + 512), before.subarray(at, at + 512)) !== 0);
}

/** The file as an open store has it. */
async function openMeta(): Promise<MetaFile> {
  const found = await readMeta(disk, "/data", null);
  if (found === null) throw new Error("There is a meta file");
  return MetaFile.open(disk, "/data", found);
}

beforeEach(async () => {
  disk = new MemoryDisk();
  await disk.makeDirectory("/data");
});

describe("the meta file", () => {
  test("gives back what was written", async () => {
    await createMeta(disk, "/data", record);
    expect(await read()).toEqual(record);
    expect(disk.files()).toEqual([path]);
  });

  test("has the bytes of the format", () => {
    const bytes = encodeMeta(record);
    const view = viewOf(bytes);
    expect(bytes.length).toBe(53_248);
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe("RKVMETA1");
    expect(view.getBigUint64(32, true)).toBe(testIdentity.memberId);
    expect(view.getBigUint64(40, true)).toBe(2n ** 40n + 3n);
    expect(view.getBigUint64(104, true)).toBe(0xfedc_ba98_7654_3210n);
    expect([0, 16_384, 32_768, 49_152].map((copy) => view.getBigUint64(copy + 16, true))).toEqual([12n, 12n, 11n, 11n]);
    expect(bytes.subarray(16_384, 16_896)).toEqual(bytes.subarray(0, 512));
    expect(bytes.subarray(49_152, 49_664)).toEqual(bytes.subarray(32_768, 33_280));
    expect(bytes.subarray(32_792, 33_280)).toEqual(bytes.subarray(24, 512));
  });

  test("survives the loss of any one bit, and says where", async () => {
    const whole = encodeMeta(record);
    for (let bit = 0; bit < 512 * 8; bit++) {
      for (const copy of META_PAIRS.flat()) {
        const bytes = whole.slice();
        const at = copy + (bit >> 3);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        disk.poke(path, bytes);
        const logger = new LineLogger();
        expect(await read(logger)).toEqual(record);
        expect(logger.lines).toMatchObject([{ level: "warn", fields: { path, offsets: [copy] } }]);
      }
    }
  });

  test("survives the loss of any 15 KiB that follow each other", async () => {
    for (let from = -14_848; from < 53_248; from += 512) {
      disk.poke(path, encodeMeta(record).fill(0xff, Math.max(0, from), from + 15 * 1_024));
      expect(await read()).toEqual(record);
    }
  });

  test.each(META_PAIRS)("is refused without a sound copy at %i and %i: a newer record may have stood there", async (first, second) => {
    const older = { ...record, generation: record.generation + 1 };
    for (const written of [record, older]) {
      disk.poke(
        path,
        encodeMeta(written)
          .fill(1, first + 60, first + 61)
          .fill(1, second + 100, second + 101),
      );
      await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({
        code: "ERR_META_DAMAGED",
        message: `${path} has no valid copy at offset ${first} or ${second}: term and vote are lost`,
      });
    }
  });

  test("may be cut off as long as both pairs keep a copy", async () => {
    for (let length = 0; length < 53_248; length += length % 512 === 511 ? 1 : 511) {
      disk.poke(path, encodeMeta(record).subarray(0, length));
      expect(await readOrCode()).toEqual(length >= 33_280 ? record : "ERR_META_DAMAGED");
    }
  });

  test.each([[1], [2], [3], [4], [1, 3], [2, 3], [1, 4], [2, 4]])("is read around bad blocks: %j", async (...unreadable) => {
    await createMeta(disk, "/data", record);
    failReads(unreadable);
    expect(await readMeta(disk, "/data", null)).toMatchObject({ record, damagedCopies: unreadable.length });
    expect(disk.openFiles).toBe(0);
  });

  test.each([
    [1, 2],
    [3, 4],
  ])("is refused if bad blocks hold both copies of a pair: %i and %i", async (...unreadable) => {
    await createMeta(disk, "/data", record);
    failReads(unreadable);
    const reading = readMeta(disk, "/data", null);
    await expect(reading).rejects.toMatchObject({ code: "ERR_META_DAMAGED", message: expect.stringContaining("(bad block)") });
    expect(disk.openFiles).toBe(0);
  });

  test("gives the newest of copies that differ", async () => {
    const next = { ...record, generation: 13, term: record.term + 1 };
    const later = { ...record, generation: 14, term: record.term + 2 };
    for (const [offset, newest] of [
      [0, later],
      [16_384, later],
      [32_768, next],
      [49_152, next],
    ] as const) {
      const bytes = encodeMeta(record);
      bytes.set(encodeMeta(newest).subarray(offset, offset + 512), offset);
      disk.poke(path, bytes);
      const logger = new LineLogger();
      expect(await read(logger)).toEqual(newest);
      expect(logger.lines).toMatchObject([{ level: "warn", fields: { offsets: [offset < 32_768 ? 16_384 - offset : 81_920 - offset] } }]);
    }
  });

  test("takes no copy that stands in the place of another pair", async () => {
    const bytes = encodeMeta(record);
    bytes.copyWithin(32_768, 0, 512);
    disk.poke(path, bytes);
    expect(await readMeta(disk, "/data", null)).toMatchObject({ record, damagedCopies: 1 });
    bytes.copyWithin(49_152, 0, 512);
    disk.poke(path, bytes);
    await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_META_DAMAGED" });
  });

  test("is refused if a newer version or another state of membership wrote it", async () => {
    for (const change of [(view: DataView) => view.setUint16(14, 2, true), (view: DataView) => view.setUint8(72, 2)]) {
      const bytes = encodeMeta(record);
      change(viewOf(bytes));
      viewOf(bytes).setUint32(8, crc32c(bytes.subarray(12, 512)), true);
      disk.poke(path, bytes);
      await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_FORMAT_TOO_NEW" });
    }
  });

  test("without a store id is damaged", async () => {
    disk.poke(path, encodeMeta({ ...record, storeId: 0n }));
    await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_META_DAMAGED" });
  });

  test("with a number beyond 2^53 is damaged", async () => {
    const bytes = encodeMeta(record);
    setU64(viewOf(bytes), 40, 2 ** 53);
    viewOf(bytes).setUint32(8, crc32c(bytes.subarray(12, 512)), true);
    bytes.copyWithin(16_384, 0, 512);
    disk.poke(path, bytes);
    await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_META_DAMAGED" });
  });
});

describe("changes of the meta file", () => {
  test("are one durable write, to the pair without the record before", async () => {
    await createMeta(disk, "/data", record);
    const meta = await openMeta();
    await meta.update({ bootGeneration: 5 });
    for (const [generation, from, end] of [
      [15, 32_768, 53_248],
      [16, 0, 20_480],
      [17, 32_768, 53_248],
    ] as const) {
      const [before, written] = [disk.peek(path), disk.counts.writeDurably];
      await meta.update({ term: record.term + generation });
      expect(disk.counts.writeDurably - written).toBe(1);
      const changed = { ...record, bootGeneration: 5, generation, term: record.term + generation };
      before.set(encodeMeta(changed).subarray(from, end), from);
      expect(disk.peek(path)).toEqual(before);
      expect([meta.durable, await read()]).toEqual([changed, changed]);
    }
    await meta.close();
    expect(disk.openFiles).toBe(0);
  });

  test("that wait for the same writing share it", async () => {
    const meta = await MetaFile.open(disk, "/data", await createMeta(disk, "/data", record));
    const written = disk.counts.writeDurably;
    await Promise.all([meta.update({ term: record.term + 1 }), meta.update({ vote: 3 }), meta.update({ lastSegment: 10 })]);
    expect(disk.counts.writeDurably - written).toBe(1);
    expect(await read()).toEqual({ ...record, generation: 13, term: record.term + 1, vote: 3, lastSegment: 10 });
    await meta.close();
  });

  test("make all four copies anew with the first one of a start, those first that prove least", async () => {
    // The pair of the newest record was being written, and one copy of it has it alone. A copy of the other pair is damaged.
    const found = encodeMeta(record);
    found.set(encodeMeta({ ...record, generation: 13, vote: 3 }).subarray(49_152), 49_152);
    found.fill(7, 16_400, 16_500);
    disk.poke(path, found);
    const meta = await openMeta();
    const written: (readonly number[])[] = [];
    disk.before = ({ name }) => {
      if (name === "writeDurably") written.push(changedCopies(found));
    };
    await meta.update({ bootGeneration: 5 });
    expect(written).toEqual([[], [16_384], [16_384, 32_768], [0, 16_384, 32_768]]);
    expect(disk.peek(path)).toEqual(encodeMeta({ ...record, generation: 15, vote: 3, bootGeneration: 5 }));
    await meta.close();
  });

  test("all fail after the first failure", async () => {
    await createMeta(disk, "/data", record);
    const meta = await openMeta();
    disk.before = ({ name }) => {
      if (name === "writeDurably") throw new DiskError("io", path, "no such luck");
    };
    await expect(meta.update({ vote: 3 })).rejects.toThrow("no such luck");
    disk.before = () => {};
    await expect(meta.update({ vote: 1 })).rejects.toThrow("no such luck");
    expect(await read()).toEqual(record);
  });

  test("leave the record before or after them, also if a copy under way is rubbish and another one was damaged before", async () => {
    for (const change of [1, 2, 3]) {
      const { before, after, records } = await crashInChange(change);
      const underWay = changedCopies(before);
      const held = META_PAIRS.flat().filter((at) => viewOf(before).getBigUint64(at + 16, true) === BigInt(records[0]?.generation ?? 0));
      for (const left of ["old old", "old new", "new old", "new new", "rubbish old", "rubbish new", "old rubbish", "new rubbish"]) {
        for (const damaged of held) {
          const bytes = before.slice();
          bytes.fill(7, damaged + 60, damaged + 61);
          for (const [at, content] of left.split(" ").entries()) {
            const copy = underWay[at] ?? 0;
            if (content === "new") bytes.set(after.subarray(copy, copy + 512), copy);
            if (content === "rubbish") bytes.fill(0xa5, copy, copy + 512);
          }
          disk.poke(path, bytes);
          expect(records, left).toContainEqual(await readOrCode());
        }
      }
    }
  });

  /** The first change of a start is whole; the power goes in the one of this number after it. */
  async function crashInChange(
    change: number,
  ): Promise<{ readonly before: Uint8Array; readonly after: Uint8Array; readonly records: readonly MetaRecord[] }> {
    disk = new MemoryDisk();
    await disk.makeDirectory("/data");
    await createMeta(disk, "/data", record);
    const meta = await openMeta();
    for (let number = 0; number < change; number++) await meta.update({ term: record.term + number });
    const before = disk.peek(path);
    const older = meta.durable;
    disk.crashAtCall(disk.callCount + 1);
    await expect(meta.update({ vote: 3 })).rejects.toThrow("the process ends");
    await meta.close();
    disk = disk.afterKill();
    return { before, after: disk.peek(path), records: [older, { ...older, vote: 3, generation: older.generation + 1 }] };
  }
});
