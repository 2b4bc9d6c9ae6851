import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/fixture.ts";
import type { MemoryDisk } from "../testing/memory-disk.ts";
import { makeSampleDirectory, type SampleDirectory } from "./sample-directory.ts";
import { SWEEP_TIMEOUT_MS, Sweep } from "./sweep.ts";

function filesOf({ disk }: SampleDirectory): readonly string[] {
  return disk.files().filter((path) => !path.endsWith(".tmp"));
}

function loseAll(disk: MemoryDisk, paths: readonly string[]): void {
  for (const path of paths) disk.lose(path);
}

function reportOf(name: string, { trials, opened, counts, refusals }: Sweep): void {
  console.info(`${name}: ${JSON.stringify({ trials, opened, ...counts, refusals })}`);
}

describe.each(["whole", "compacted"] as const)("a file of a directory with a %s log", { timeout: SWEEP_TIMEOUT_MS }, (log) => {
  test("may be cut off at any byte, and nothing is lost silently", async () => {
    const directory = await makeSampleDirectory({ end: "closed", log });
    const sweep = new Sweep(directory, { openedAtLeast: 64 });
    for (const path of filesOf(directory)) {
      const bytes = directory.disk.peek(path);
      for (let length = 0; length < bytes.length; length++) await sweep.replaceFile(path, bytes.subarray(0, length), `${length} bytes`);
    }
    reportOf(`cut off, ${log} log`, sweep);
    expect(sweep.wrong).toEqual([]);
    expect(sweep.counts.cut + sweep.counts.refused).toBe(0);
    expect(Math.min(sweep.counts.intact, sweep.counts.repair, sweep.counts.quarantine)).toBeGreaterThan(0);
  });

  test("may be longer than it was", async () => {
    const directory = await makeSampleDirectory({ end: "closed", log });
    const sweep = new Sweep(directory);
    const random = new SeededRandom(1);
    for (const path of filesOf(directory)) {
      const bytes = directory.disk.peek(path);
      for (const added of [1, 8, 511, 512, 513, 4_096, 24_576, bytes.length]) {
        for (const [name, tail] of [
          ["zeros", new Uint8Array(added)],
          ["rubbish", random.bytes(added)],
          ["its own bytes", bytes.slice(0, added)],
        ] as const) {
          await sweep.replaceFile(path, Buffer.concat([bytes, tail]), `${added} bytes more of ${name}`);
        }
      }
    }
    reportOf(`longer, ${log} log`, sweep);
    expect(sweep.wrong).toEqual([]);
    expect(sweep.counts.cut + sweep.counts.refused).toBe(0);
  });

  test("may be gone, alone or with any other one", async () => {
    const directory = await makeSampleDirectory({ end: "closed", log });
    const sweep = new Sweep(directory);
    const paths = filesOf(directory);
    for (const first of paths) {
      for (const second of paths) {
        await sweep.change((disk) => loseAll(disk, [first, second]), `${first} and ${second} are gone`);
      }
    }
    for (const kept of paths) {
      const others = paths.filter((path) => path !== kept);
      await sweep.change((disk) => loseAll(disk, others), `only ${kept} is left`);
    }
    reportOf(`gone, ${log} log`, sweep);
    expect(sweep.wrong).toEqual([]);
    expect(sweep.counts.cut + sweep.counts.refused).toBe(0);
  });

  test("may stand a second time under another name, or instead of another one", async () => {
    const directory = await makeSampleDirectory({ end: "closed", log });
    const sweep = new Sweep(directory);
    const paths = filesOf(directory);
    const newNames = [
      "/data/wal/00000000000000ff.wal",
      "/data/wal/0000000000000001.wal",
      "/data/wal/prep-0000000000000000.tmp",
      "/data/snap/00000000000000ff-0000000000000003.snap",
      "/data/snap/0000000000000005-0000000000000001.snap",
      "/data/snap/own-0000000000000005.tmp",
      "/data/meta.tmp",
      "/data/wal/copy of a segment",
    ];
    for (const from of paths) {
      const bytes = directory.disk.peek(from);
      for (const to of [...paths, ...newNames]) {
        if (from !== to) await sweep.change((disk) => disk.poke(to, bytes), `${from} stands at ${to}`);
      }
    }
    reportOf(`under another name, ${log} log`, sweep);
    expect(sweep.wrong).toEqual([]);
    expect(sweep.counts.cut).toBe(0);
    // A file that says that it belongs elsewhere is for the operator to take away.
    expect(Object.keys(sweep.refusals).filter((code) => code !== "ERR_FOREIGN_FILE")).toEqual([]);
  });
});
