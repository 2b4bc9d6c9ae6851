import { beforeEach, describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { setU64, viewOf } from "./format.ts";
import { MetaFile, readMeta, writeMeta } from "./meta-file.ts";
import { encodeMeta, firstMetaRecord, type MetaRecord } from "./meta-record.ts";
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
};
const path = "/data/meta";
let disk = new MemoryDisk();

beforeEach(async () => {
  disk = new MemoryDisk();
  await disk.makeDirectory("/data");
});

describe("the meta file", () => {
  test("gives back what was written", async () => {
    await writeMeta(disk, "/data", record);
    expect(await readMeta(disk, "/data", null)).toEqual(record);
    expect(disk.files()).toEqual([path]);
  });

  test("has the bytes of the format", () => {
    const bytes = encodeMeta(record);
    expect(bytes.length).toBe(8_192);
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe("RKVMETA1");
    expect(viewOf(bytes).getBigUint64(32, true)).toBe(testIdentity.memberId);
    expect(viewOf(bytes).getBigUint64(40, true)).toBe(2n ** 40n + 3n);
    expect(viewOf(bytes).getBigUint64(104, true)).toBe(0xfedc_ba98_7654_3210n);
    expect(bytes.subarray(4_096, 4_608)).toEqual(bytes.subarray(0, 512));
  });

  test("survives the loss of any one bit, and says so", async () => {
    const whole = encodeMeta(record);
    for (let bit = 0; bit < 512 * 8; bit++) {
      for (const copy of [0, 4_096]) {
        const bytes = whole.slice();
        const at = copy + (bit >> 3);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        disk.poke(path, bytes);
        const logger = new LineLogger();
        expect(await readMeta(disk, "/data", logger)).toEqual(record);
        expect(logger.at("warn")).toHaveLength(1);
      }
    }
  });

  test("is refused if both copies are damaged or cut off", async () => {
    const both = encodeMeta(record);
    both.fill(0, 100, 101).fill(1, 60, 61).fill(1, 4_156, 4_157);
    for (const bytes of [both, new Uint8Array(0), encodeMeta(record).subarray(0, 511), new Uint8Array(8_192)]) {
      disk.poke(path, bytes);
      await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_META_DAMAGED" });
    }
  });

  test("uses the newer of two copies", async () => {
    const bytes = encodeMeta(record);
    bytes.set(encodeMeta({ ...record, generation: 11, term: 1 }).subarray(0, 512), 4_096);
    disk.poke(path, bytes);
    expect(await readMeta(disk, "/data", null)).toEqual(record);
  });

  test("is refused if a newer version or another state of membership wrote it", async () => {
    for (const change of [(view: DataView) => view.setUint16(14, 2, true), (view: DataView) => view.setUint8(72, 3)]) {
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
    const bytes = encodeMeta(record).subarray(0, 512);
    setU64(viewOf(bytes), 40, 2 ** 53);
    viewOf(bytes).setUint32(8, crc32c(bytes.subarray(12, 512)), true);
    disk.poke(path, bytes);
    await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_META_DAMAGED" });
  });
});

describe("changes of the meta file", () => {
  test("that wait for the same replacement share it", async () => {
    await writeMeta(disk, "/data", record);
    const meta = new MetaFile(disk, "/data", record);
    const renamed = disk.counts.rename;
    await Promise.all([meta.update({ term: record.term + 1 }), meta.update({ vote: 3 }), meta.update({ lastSegment: 10 })]);
    expect(disk.counts.rename - renamed).toBe(1);
    expect(await readMeta(disk, "/data", null)).toEqual({ ...record, generation: 13, term: record.term + 1, vote: 3, lastSegment: 10 });
    expect(meta.durable.generation).toBe(13);
  });

  test("all fail after the first failure", async () => {
    await writeMeta(disk, "/data", record);
    const meta = new MetaFile(disk, "/data", record);
    disk.crashAtCall(disk.callCount + 2);
    await expect(meta.update({ vote: 3 })).rejects.toThrow("ends");
    disk.crashAtCall(Infinity);
    await expect(meta.update({ vote: 1 })).rejects.toThrow("ends");
    expect(await readMeta(disk, "/data", null)).toEqual(record);
  });
});
