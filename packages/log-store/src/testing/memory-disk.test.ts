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
});
