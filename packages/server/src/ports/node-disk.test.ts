import { constants } from "node:fs";
import { link, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { DiskError } from "@raftkv/raft-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NodeDisk } from "./node-disk.ts";

let directory = "";
const disk = new NodeDisk();

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/raftkv-disk-`);
});
afterEach(() => rm(directory, { recursive: true }));

/** For each descriptor of this process that leads to the file: whether it has O_DSYNC. Empty where there is no /proc. */
async function flagsOf(path: string): Promise<readonly boolean[]> {
  const flags: boolean[] = [];
  for (const fd of await readdir("/proc/self/fd").catch(() => [])) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => "");
    if (target !== path) continue;
    const info = await readFile(`/proc/self/fdinfo/${fd}`, "utf8");
    flags.push((Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? "0", 8) & constants.O_DSYNC) !== 0);
  }
  return flags.sort((a, b) => Number(a) - Number(b));
}

describe("NodeDisk", () => {
  test("makes directories and files that only their owner can use", async () => {
    await disk.makeDirectory(`${directory}/data`);
    await (await disk.open(`${directory}/data/file`, "create")).close();
    const modes = await Promise.all(["data", "data/file"].map(async (name) => (await stat(`${directory}/${name}`)).mode & 0o777));
    expect(modes).toEqual([0o700, 0o600]);
  });

  test("refuses files that others can read, that have two names, or that are links", async () => {
    await writeFile(`${directory}/open`, "x", { mode: 0o644 });
    await writeFile(`${directory}/one`, "x", { mode: 0o600 });
    await link(`${directory}/one`, `${directory}/two`);
    await writeFile(`${directory}/target`, "x", { mode: 0o600 });
    await symlink(`${directory}/target`, `${directory}/link`);
    await expect(disk.open(`${directory}/open`, "read")).rejects.toMatchObject({
      code: "permission",
      message: `${directory}/open has mode 644, it must be 600`,
    });
    await expect(disk.open(`${directory}/one`, "write")).rejects.toMatchObject({
      code: "permission",
      message: `${directory}/one has 2 names, it must have one`,
    });
    for (const mode of ["read", "write"] as const)
      await expect(disk.open(`${directory}/link`, mode)).rejects.toMatchObject({ code: "permission" });
    await expect(disk.open(`${directory}/link`, "create")).rejects.toMatchObject({ code: "exists" });
  });

  test("reads into memory that is long enough, and leaves the rest of it alone", async () => {
    const file = await disk.open(`${directory}/file`, "create");
    await file.write(0, [Uint8Array.of(1, 2, 3, 4)]);
    const memory = new Uint8Array(4).fill(9);
    const read = await file.read(1, 3, memory);
    expect([read.buffer === memory.buffer, [...memory]]).toEqual([true, [2, 3, 4, 9]]);
    expect((await file.read(0, 5, memory)).buffer).not.toBe(memory.buffer);
    await file.close();
  });

  test("says what it could not do, with the path and the system's reason", async () => {
    const path = `${directory}/none`;
    await expect(disk.open(path, "read")).rejects.toThrow(`Cannot open ${path}: ENOENT: no such file or directory`);
    await expect(disk.remove(path)).rejects.toThrow(`Cannot remove ${path}: ENOENT: no such file or directory`);
    await expect(disk.list(path)).rejects.toThrow(`Cannot list ${path}: ENOENT: no such file or directory`);
  });

  test("leaves no descriptor open when it refuses a file", async () => {
    await writeFile(`${directory}/open`, "x", { mode: 0o644 });
    const count = async (): Promise<number> => (await readdir("/proc/self/fd").catch(() => [])).length;
    const before = await count();
    for (let i = 0; i < 50; i++) await disk.open(`${directory}/open`, "read").catch(() => undefined);
    expect((await count()) - before).toBeLessThan(25);
  });

  test.skipIf(process.platform !== "linux")("writes durably through one descriptor with O_DSYNC, and closes it", async () => {
    const path = `${directory}/durable`;
    const file = await disk.open(path, "create");
    await Promise.all([0, 1, 2].map((position) => file.writeDurably(position, [Uint8Array.of(position)])));
    expect(await flagsOf(path)).toEqual([false, true]);
    await file.close();
    expect(await flagsOf(path)).toEqual([]);
    await expect(file.writeDurably(0, [Uint8Array.of(1)])).rejects.toMatchObject({ code: "io", path });
  });

  test.skipIf(process.platform !== "linux")("opens no second descriptor that nobody asked for, nor for a reader", async () => {
    const path = `${directory}/plain`;
    const file = await disk.open(path, "create");
    await file.write(0, [Uint8Array.of(1)]);
    const reader = await disk.open(path, "read");
    await expect(reader.writeDurably(0, [Uint8Array.of(2)])).rejects.toMatchObject({ code: "io", path });
    expect(await flagsOf(path)).toEqual([false, false]);
    await Promise.all([reader.close(), file.close()]);
  });

  test("close waits for a descriptor that is being opened", async () => {
    const path = `${directory}/closing`;
    const file = await disk.open(path, "create");
    const write = file.writeDurably(0, [Uint8Array.of(7)]);
    await Promise.all([write.catch(() => undefined), file.close()]);
    expect(await flagsOf(path)).toEqual([]);
    await expect(file.writeDurably(0, [Uint8Array.of(7)])).rejects.toMatchObject({ code: "io", path });
  });

  test("tells of an error of the second descriptor", async () => {
    const path = `${directory}/refused`;
    const failing = new NodeDisk(() => Promise.reject(new DiskError("io", path, `Cannot open ${path} once more: for a test`)));
    const file = await failing.open(path, "create");
    await expect(file.writeDurably(0, [Uint8Array.of(1)])).rejects.toThrow("once more");
    await file.write(0, [Uint8Array.of(1)]);
    await file.close();
    expect(await flagsOf(path)).toEqual([]);
  });

  test("close waits for the calls under way", async () => {
    const file = await disk.open(`${directory}/file`, "create");
    const writes = Array.from({ length: 20 }, (_, position) => file.write(position * 100_000, [new Uint8Array(100_000).fill(position)]));
    const closing = file.close();
    await Promise.all([...writes, closing]);
    expect((await stat(`${directory}/file`)).size).toBe(2_000_000);
  });

  test.skipIf(process.platform !== "linux").each(["write", "writeDurably"] as const)(
    "close waits for a %s that takes several calls",
    async (how) => {
      const file = await disk.open(`${directory}/${how}`, "create");
      if (how === "writeDurably") await file.writeDurably(0, [Uint8Array.of(0)]);
      const write = file[how](
        0,
        Array.from({ length: 3_000 }, () => Uint8Array.of(7)),
      );
      await Promise.all([write, file.close()]);
      expect((await stat(`${directory}/${how}`)).size).toBe(3_000);
    },
  );

  test.skipIf(process.platform !== "linux")("locks directories whose path is too long for a socket", async () => {
    const deep = `${directory}/${"long-name-".repeat(8)}/${"long-name-".repeat(8)}`;
    await mkdir(deep, { recursive: true });
    const lock = await disk.lock(deep);
    await expect(disk.lock(deep)).rejects.toMatchObject({ code: "locked" });
    await lock.release();
    expect(await readdir(deep)).toEqual([]);
  });
});
