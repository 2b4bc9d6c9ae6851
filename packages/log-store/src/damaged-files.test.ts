import { DiskError } from "@raftkv/raft-node";
import { describe, expect, test } from "vitest";
import { PAGE_BYTES } from "./format.ts";
import { segmentPath, snapshotPath } from "./testing/damage-cases.ts";
import { makeSoundDirectory, spoil } from "./testing/damaged-directory.ts";
import { hardState, LineLogger, openTestStore } from "./testing/fixture.ts";
import type { MemoryDisk } from "./testing/memory-disk.ts";

const damaged = "/data/damaged";
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** A member whose second segment is damaged, under repair from log index 5 on. */
async function makeDamaged(): Promise<MemoryDisk> {
  const { disk } = await makeSoundDirectory({ lastIndex: 14 });
  spoil(disk, segmentPath(disk, 1), 3 * PAGE_BYTES + 100);
  return disk;
}

/** Starts, and damages the oldest segment again before the next start. */
async function damageOften(disk: MemoryDisk, starts: number, logger = new LineLogger()): Promise<void> {
  const { entries } = await makeSoundDirectory({ lastIndex: 10 });
  for (let start = 0; start < starts; start++) {
    spoil(disk, segmentPath(disk, 0), 2 * PAGE_BYTES + 100);
    const store = await openTestStore(disk, { seed: 100 + start, logger });
    expect(store.recovered.entries).toEqual([]);
    await store.append({ hardState: hardState(2, 3), entries });
    await store.close();
  }
}

describe("what stands among the damaged files", () => {
  test.each(["not-found", "not-a-directory", "permission", "read-only", "io"] as const)(
    "keeps nobody from starting if the disk says %s of it",
    async (code) => {
      const disk = await makeDamaged();
      await damageOften(disk, 5);
      spoil(disk, segmentPath(disk, 0), 2 * PAGE_BYTES + 100);
      disk.before = ({ name, path }) => {
        if (path.startsWith(damaged) && name !== "syncDirectory") throw new DiskError(code, path, `${path}: ${code}`);
      };
      const logger = new LineLogger();
      const store = await openTestStore(disk, { seed: 2, logger });
      expect(store.recovered.lost?.from).toBe(1);
      await store.close();
      expect(logger.at("warn")).toContain("the directory of damaged files could not be put in order");
      const again = await openTestStore(disk, { seed: 3 });
      expect(again.recovered.lost).toEqual({ from: 1, description: "An earlier start found entries from log index 1 on to be lost" });
      await again.close();
    },
  );

  test("is not opened, but for the decision", async () => {
    const disk = await makeDamaged();
    await damageOften(disk, 3);
    const opened = new Set<string>();
    disk.before = ({ name, path }) => {
      if (name === "open" && path.startsWith(damaged)) opened.add(path);
    };
    await damageOften(disk, 3);
    expect([...opened].filter((path) => !/-decision\.(txt|tmp)$/.test(path))).toEqual([]);
  });

  test("may be a directory with the name of a file", async () => {
    const disk = await makeDamaged();
    await (await openTestStore(disk, { seed: 2 })).close();
    await disk.makeDirectory(`${damaged}/0000000000000001-0000000000000001.wal`);
    await disk.makeDirectory(`${damaged}/0000000000000001-decision.txt`);
    const logger = new LineLogger();
    await damageOften(disk, 6, logger);
    expect(logger.lines.filter(({ fields }) => fields["path"] === `${damaged}/0000000000000001-decision.txt`)).not.toEqual([]);
  });

  test("stays if its name is not one that a start gives", async () => {
    const disk = await makeDamaged();
    await (await openTestStore(disk, { seed: 2 })).close();
    const foreign = [
      "notes.txt",
      "copy.tmp",
      "0000000000000001",
      "0000000000000001-notes.txt",
      "0000000000000001-0000000000000001.wal.gz",
      "a-decision.txt",
    ];
    for (const name of foreign) disk.poke(`${damaged}/${name}`, text(name));
    await damageOften(disk, 6);
    for (const name of foreign) expect(disk.peek(`${damaged}/${name}`)).toEqual(text(name));
  });

  test("ends the start if its names can't be made durable", async () => {
    const disk = await makeDamaged();
    disk.before = ({ name, path }) => {
      if (name === "syncDirectory" && path === damaged) throw new DiskError("io", path, "bad sector");
    };
    await expect(openTestStore(disk, { seed: 2 })).rejects.toMatchObject({ message: expect.stringContaining("bad sector") });
  });
});

describe("the reason that later starts give", () => {
  test("is that of the loss, not of what was found after or before it", async () => {
    const disk = await makeDamaged();
    const first = await openTestStore(disk, { seed: 2 });
    const { lost } = first.recovered;
    await first.close();
    // A later case that cost nothing, and one of a repair that ended long ago.
    disk.poke(
      `${damaged}/00000000000000ff-decision.txt`,
      text("something else\nfound at start 255, decision L7 S1\n/data/wal/0000000000000001.wal\n"),
    );
    disk.poke(
      `${damaged}/00000000000000fe-decision.txt`,
      text("something old\nfound at start 254, decision L6 S4\nlost from log index 3\n"),
    );
    const second = await openTestStore(disk, { seed: 3 });
    expect(second.recovered.lost).toEqual(lost);
    await second.close();
  });

  test("is there also if the start that found the loss was cut short", async () => {
    const disk = await makeDamaged();
    let lost: unknown = null;
    for (let call = 1; ; call++) {
      const cut = disk.afterKill();
      cut.crashAtCall(call);
      const opened = await openTestStore(cut, { seed: 2 }).catch(() => null);
      await opened?.close().catch(() => {});
      const again = await openTestStore(
        cut.afterPowerLoss(() => false),
        { seed: 3 },
      );
      lost ??= again.recovered.lost;
      expect(again.recovered.lost).toEqual(lost);
      await again.close();
      if (!cut.crashed) break;
    }
    expect(lost).toMatchObject({ from: 5 });
  });
});

describe("damage", () => {
  test("takes only what is damaged out of service", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14, snapshots: [5, 9] });
    spoil(disk, snapshotPath(9), PAGE_BYTES + 50);
    spoil(disk, segmentPath(disk, -1), 2 * PAGE_BYTES + 20);
    const bad = segmentPath(disk, -1);
    await (await openTestStore(disk, { seed: 2 })).close();
    const aside = disk.files(damaged).map((path) => path.slice(`${damaged}/0000000000000002-`.length));
    expect(aside.filter((name) => name.endsWith(".snap"))).toEqual([snapshotPath(9).slice("/data/snap/".length)]);
    expect(aside).toContain(bad.slice("/data/wal/".length));
    expect(disk.files("/data/snap")).toEqual([snapshotPath(5)]);
  });

  test("leaves no sound snapshot aside that is older than those that stay", async () => {
    const { disk } = await makeSoundDirectory({ lastIndex: 14, snapshots: [5, 9] });
    for (const path of disk.files("/data/wal")) spoil(disk, path, 2 * PAGE_BYTES + 20);
    const store = await openTestStore(disk, { seed: 2 });
    expect(store.recovered).toMatchObject({ snapshot: { index: 9 }, lost: { from: 10 } });
    await store.close();
    expect(disk.files(damaged).filter((path) => path.endsWith(".snap"))).toEqual([]);
  });
});
