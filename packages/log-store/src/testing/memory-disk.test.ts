import { describeDisk } from "@raftkv/raft-node/testing";
import { describe, expect, test } from "vitest";
import { SECTOR_BYTES } from "../format.ts";
import { MemoryDisk } from "./memory-disk.ts";

describeDisk("in memory", async () => {
  const disk = new MemoryDisk();
  await disk.makeDirectory("/suite");
  return { disk, directory: "/suite", run: (body) => body(), close: async () => {} };
});

describe("a power loss", () => {
  async function written(): Promise<MemoryDisk> {
    const disk = new MemoryDisk();
    await disk.makeDirectory("/d");
    await disk.syncDirectory("/");
    const file = await disk.open("/d/a", "create");
    await file.write(0, [new Uint8Array(2 * SECTOR_BYTES).fill(1)]);
    await file.sync();
    await disk.syncDirectory("/d");
    await file.write(0, [new Uint8Array(3 * SECTOR_BYTES).fill(2)]);
    await disk.rename("/d/a", "/d/b");
    return disk;
  }

  test("keeps what was synced and nothing else if nothing else survives", async () => {
    const disk = (await written()).afterPowerLoss(() => false);
    expect(disk.files()).toEqual(["/d/a"]);
    expect(disk.peek("/d/a")).toEqual(new Uint8Array(2 * SECTOR_BYTES).fill(1));
  });

  test("keeps everything if the process alone was killed", async () => {
    const disk = (await written()).afterKill();
    expect(disk.files()).toEqual(["/d/b"]);
    expect(disk.peek("/d/b")).toEqual(new Uint8Array(3 * SECTOR_BYTES).fill(2));
  });

  test("may keep single sectors and names", async () => {
    const answers = [false, true, false, false, false];
    const disk = (await written()).afterPowerLoss(() => answers.shift() ?? false);
    expect(disk.files()).toEqual(["/d/a"]);
    const bytes = disk.peek("/d/a");
    expect([bytes.length, bytes[0], bytes[SECTOR_BYTES]]).toEqual([2 * SECTOR_BYTES, 2, 1]);
  });

  test("takes a name with it whose directory was never synced", async () => {
    const disk = new MemoryDisk();
    await disk.makeDirectory("/d");
    await (await disk.open("/d/a", "create")).close();
    expect(disk.afterPowerLoss(() => false).files()).toEqual([]);
  });

  test("keeps what was written durably, and of its neighbours nothing that was not", async () => {
    const disk = new MemoryDisk();
    const file = await disk.open("/a", "create");
    await file.write(0, [new Uint8Array(3 * SECTOR_BYTES).fill(1)]);
    await file.sync();
    await disk.syncDirectory("/");
    await file.write(0, [new Uint8Array(3 * SECTOR_BYTES).fill(2)]);
    await file.writeDurably(SECTOR_BYTES, [new Uint8Array(SECTOR_BYTES).fill(3)]);
    const bytes = disk.afterPowerLoss(() => false).peek("/a");
    expect([0, 1, 2].map((sector) => bytes[sector * SECTOR_BYTES])).toEqual([1, 3, 1]);
    expect(disk.afterKill().peek("/a")[0]).toBe(2);
  });

  test("keeps the size that a durable write gave the file, also behind a hole", async () => {
    const disk = new MemoryDisk();
    const file = await disk.open("/a", "create");
    await disk.syncDirectory("/");
    await file.write(0, [new Uint8Array(700).fill(1)]);
    await file.writeDurably(2 * SECTOR_BYTES, [Uint8Array.of(4, 5)]);
    const bytes = disk.afterPowerLoss(() => false).peek("/a");
    expect([bytes.length, bytes[0], bytes[2 * SECTOR_BYTES + 1]]).toEqual([2 * SECTOR_BYTES + 2, 0, 5]);
  });

  test("within a durable write leaves each of its sectors old or new", async () => {
    const disk = new MemoryDisk();
    const file = await disk.open("/a", "create");
    await file.writeDurably(0, [new Uint8Array(3 * SECTOR_BYTES).fill(1)]);
    await disk.syncDirectory("/");
    disk.crashAtCall(disk.callCount + 1);
    await expect(file.writeDurably(0, [new Uint8Array(3 * SECTOR_BYTES).fill(2)])).rejects.toThrow("the process ends");
    const answers = [false, true, false];
    const bytes = disk.afterPowerLoss(() => answers.shift() ?? false).peek("/a");
    expect([0, 1, 2].map((sector) => bytes[sector * SECTOR_BYTES])).toEqual([1, 2, 1]);
  });
});
