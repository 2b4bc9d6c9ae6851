import { DiskError, type Logger } from "@raftkv/raft-node";
import { beforeEach, describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { setU64, viewOf } from "./format.ts";
import { createMeta, MetaFile, readMeta } from "./meta-file.ts";
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
  repairFrom: 0,
};
const path = "/data/meta";
let disk = new MemoryDisk();

async function read(logger: Logger | null = null): Promise<MetaRecord | undefined> {
  return (await readMeta(disk, "/data", logger))?.record;
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
    expect(bytes.length).toBe(20_480);
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe("RKVMETA1");
    expect(viewOf(bytes).getBigUint64(32, true)).toBe(testIdentity.memberId);
    expect(viewOf(bytes).getBigUint64(40, true)).toBe(2n ** 40n + 3n);
    expect(viewOf(bytes).getBigUint64(104, true)).toBe(0xfedc_ba98_7654_3210n);
    expect(bytes.subarray(16_384, 16_896)).toEqual(bytes.subarray(0, 512));
  });

  test("survives the loss of any one bit, and says so", async () => {
    const whole = encodeMeta(record);
    for (let bit = 0; bit < 512 * 8; bit++) {
      for (const copy of [0, 16_384]) {
        const bytes = whole.slice();
        const at = copy + (bit >> 3);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        disk.poke(path, bytes);
        const logger = new LineLogger();
        expect(await read(logger)).toEqual(record);
        expect(logger.at("warn")).toHaveLength(1);
      }
    }
  });

  test("survives the loss of any 15 KiB that follow each other", async () => {
    for (let from = -14_848; from < 20_480; from += 512) {
      disk.poke(path, encodeMeta(record).fill(0xff, Math.max(0, from), from + 15 * 1_024));
      expect(await read()).toEqual(record);
    }
  });

  test("is refused if both copies are damaged or cut off", async () => {
    const both = encodeMeta(record);
    both.fill(0, 100, 101).fill(1, 60, 61).fill(1, 16_444, 16_445);
    for (const bytes of [both, new Uint8Array(0), encodeMeta(record).subarray(0, 511), new Uint8Array(20_480)]) {
      disk.poke(path, bytes);
      await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_META_DAMAGED" });
    }
  });

  test("uses the newer of two copies", async () => {
    const bytes = encodeMeta(record);
    bytes.set(encodeMeta({ ...record, generation: 11, term: 1 }).subarray(0, 512), 16_384);
    disk.poke(path, bytes);
    expect(await read()).toEqual(record);
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
    const bytes = encodeMeta(record).subarray(0, 512);
    setU64(viewOf(bytes), 40, 2 ** 53);
    viewOf(bytes).setUint32(8, crc32c(bytes.subarray(12, 512)), true);
    disk.poke(path, bytes);
    await expect(readMeta(disk, "/data", null)).rejects.toMatchObject({ code: "ERR_META_DAMAGED" });
  });
});

describe("changes of the meta file", () => {
  test("that wait for the same writing share it", async () => {
    await createMeta(disk, "/data", record);
    const meta = await openMeta();
    const written = disk.counts.writeDurably;
    await Promise.all([meta.update({ term: record.term + 1 }), meta.update({ vote: 3 }), meta.update({ lastSegment: 10 })]);
    expect(disk.counts.writeDurably - written).toBe(2);
    expect(await read()).toEqual({ ...record, generation: 13, term: record.term + 1, vote: 3, lastSegment: 10 });
    expect(meta.durable.generation).toBe(13);
    await meta.close();
    expect(disk.openFiles).toBe(0);
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

  test("leave the record before or after them at a crash anywhere, even if the sector under way is rubbish", async () => {
    const first = { ...record, generation: 13, vote: 3 };
    const second = { ...record, generation: 14, vote: 3, term: record.term + 1 };
    for (let crash = 1; crash <= 4; crash++) {
      for (const left of ["old", "new", "rubbish"] as const) {
        await crashAtWrite(crash, left);
        const found = await read();
        expect(crash <= 2 ? [record, first] : [first, second]).toContainEqual(found);
        // What a crash left is made whole, the worse copy first.
        const meta = await openMeta();
        const term = (found?.term ?? 0) + 5;
        await meta.update({ term });
        await meta.close();
        const bytes = disk.peek(path);
        expect(bytes.subarray(0, 512)).toEqual(bytes.subarray(16_384, 16_896));
        expect((await read())?.term).toBe(term);
      }
    }
  });

  /** Changes the vote and then the term; the process ends in the durable write of this number: 1 and 2 are of the vote. */
  async function crashAtWrite(crash: number, left: "old" | "new" | "rubbish"): Promise<void> {
    disk = new MemoryDisk();
    await disk.makeDirectory("/data");
    await createMeta(disk, "/data", record);
    const meta = await openMeta();
    let writes = 0;
    let before = disk.peek(path);
    disk.before = ({ name, number }) => {
      if (name !== "writeDurably" || ++writes !== crash) return;
      before = disk.peek(path);
      disk.crashAtCall(number);
    };
    await meta
      .update({ vote: 3 })
      .then(() => meta.update({ term: record.term + 1 }))
      .catch(() => {});
    await meta.close();
    const after = disk.peek(path);
    disk = disk.afterKill();
    const copy = before.subarray(0, 512).every((byte, at) => byte === after[at]) ? 16_384 : 0;
    if (left === "rubbish") after.fill(0xa5, copy, copy + 512);
    disk.poke(path, left === "old" ? before : after);
  }
});
