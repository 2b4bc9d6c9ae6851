import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { AcknowledgedLog } from "./acknowledged-log.ts";
import { checkData } from "./kill-loop.ts";
import { SmallDisk } from "./small-disk.ts";
import { StorageProcess } from "./storage-process.ts";
import { buildStorageProgram } from "./storage-program-file.ts";
import { exitStorageFailed } from "./storage-work.ts";

const sizeBytes = 12 * 1024 * 1024;
/** What is left when the disk fills: less and more than a page, a snapshot, a segment. */
const leftBytes = [0, 4_096, 40_000, 140_000, 300_000, 700_000] as const;
/** Two segments of the program. */
const reserveBytes = 2 * 128 * 1024;
const noSpace = /^storage program: .*No space left to .* at \/.*: free some and start again\n$/;

const disk = await SmallDisk.mount(sizeBytes);
if (disk === null) console.warn("This user may not mount a small file system: the tests of a full disk are skipped");
const folder = mkdtempSync(join(tmpdir(), "raftkv-full-"));
const program = buildStorageProgram(folder);
afterAll(async () => {
  await disk?.unmount();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program in `directory` and notes what it acknowledges. */
async function work(directory: string, log: AcknowledgedLog, options: { readonly seed: number; readonly works: number }) {
  const end = await new StorageProcess(program, { directory, ...options }).ended;
  for (const line of end.lines) log.note(line);
  return end;
}

describe.skipIf(disk === null)("a disk that is full", () => {
  test.each(leftBytes)(
    "with %d bytes left ends the process before it acknowledges what is not there, and nothing is lost",
    async (left) => {
      if (disk === null) return;
      const directory = join(disk.path, `data-${left}`);
      const log = new AcknowledgedLog();
      const first = await work(directory, log, { seed: left + 1, works: 60 });
      expect(first.status, first.errors).toBe(0);
      expect(await checkData(directory, log)).toBeNull();
      await disk.fill(left);
      try {
        const crowded = await work(directory, log, { seed: left + 2, works: 1_000_000 });
        expect(crowded.errors).toMatch(noSpace);
        expect(crowded.status).toBe(exitStorageFailed);
      } finally {
        await disk.free();
      }
      expect(await checkData(directory, log)).toBeNull();
      const last = await work(directory, log, { seed: left + 3, works: 60 });
      expect(last.status, last.errors).toBe(0);
      expect(await checkData(directory, log)).toBeNull();
    },
  );

  test("lets a store with a reserve start, take a snapshot, compact its log and go on", async () => {
    if (disk === null) return;
    const directory = join(disk.path, "reserve");
    const log = new AcknowledgedLog();
    const first = await work(directory, log, { seed: 1, works: 60 });
    expect(first.status, first.errors).toBe(0);
    // A member makes it some time after its start.
    writeFileSync(join(directory, "reserve"), new Uint8Array(reserveBytes), { mode: 0o600 });
    await disk.fill(0);
    try {
      const crowded = await work(directory, log, { seed: 2, works: 1_000_000 });
      expect(readdirSync(directory)).not.toContain("reserve");
      const done = new Set(crowded.lines.flatMap((line) => (line.kind === "done" ? [line.number] : [])));
      const kinds = new Set(crowded.lines.flatMap((line) => (line.kind === "begun" && done.has(line.number) ? [line.work.kind] : [])));
      expect([...kinds].sort()).toEqual(["append", "compact", "save"]);
      expect(crowded.errors).toMatch(noSpace);
    } finally {
      await disk.free();
    }
    expect(await checkData(directory, log)).toBeNull();
  });
});
