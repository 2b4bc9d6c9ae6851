import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { measureAppends } from "./append-cell.ts";
import { formatAppends } from "./append-report.ts";
import { levelSystem } from "./level-log.ts";
import { lmdbSystem } from "./lmdb-log.ts";
import { RandomBytes } from "./random-bytes.ts";
import { withTemporaryFolder } from "./temporary-folder.ts";

describe("a cell of appends", () => {
  test("measures every log and the disk, and leaves nothing behind", () =>
    withTemporaryFolder(tmpdir(), async (folder) => {
      const directory = join(folder, "cell");
      await mkdir(directory);
      const options = { entryBytes: 100, callers: 3, rounds: 2, turnMs: 20, directory, random: new RandomBytes() };
      const result = await measureAppends({ ...options, others: [levelSystem, lmdbSystem] }, new AbortController().signal);
      expect(result.writeBytes).toBe(4096);
      expect(result.raftkv.ratio).toEqual({ median: 1, min: 1, max: 1 });
      const rates = [
        ...result.raw.map((raw) => raw.writesPerSecond),
        ...[result.raftkv, ...result.others].map((log) => log.entriesPerSecond),
      ];
      expect(rates.length).toBe(5);
      for (const rate of rates) expect(rate).toBeGreaterThan(0);
      const names = formatAppends([result]).map((line) => /raftkv |disk, 4 KiB \w+|classic-level|lmdb/.exec(line)?.[0].trim());
      expect(names.slice(1)).toEqual(["raftkv", "disk, 4 KiB O_DSYNC", "disk, 4 KiB fdatasync", "classic-level", "lmdb"]);
      expect(await readdir(directory)).toEqual([]);
    }));

  test("ends with the reason of a signal", () =>
    withTemporaryFolder(tmpdir(), async (folder) => {
      const options = { entryBytes: 100, callers: 1, rounds: 1, turnMs: 10, directory: folder, random: new RandomBytes(), others: [] };
      await expect(measureAppends(options, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
      expect(await readdir(folder)).toEqual([]);
    }));
});
