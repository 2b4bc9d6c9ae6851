import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AcknowledgedLog } from "./acknowledged-log.ts";
import { checkData } from "./kill-loop.ts";
import { StorageProcess } from "./storage-process.ts";
import { buildStorageProgram } from "./storage-program-file.ts";
import type { StorageLine } from "./storage-work.ts";

/** A check that finds nothing wrong anywhere is worth nothing: here is a store that went its way to the end, and stories that do not fit it. */

let folder = "";
let directory = "";
let told: readonly StorageLine[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "raftkv-acknowledged-"));
  directory = join(folder, "data");
  const end = await new StorageProcess(buildStorageProgram(folder), { directory, seed: 5, works: 90 }).ended;
  told = end.lines;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function verdict(lines: readonly StorageLine[]): Promise<string | null> {
  const log = new AcknowledgedLog();
  for (const line of lines) log.note(line);
  return checkData(directory, log);
}

/** Number, term and end of the log of the last append that brought entries. */
function lastAppend(): { readonly number: number; readonly term: number; readonly next: number } {
  for (const line of told.toReversed()) {
    if (line.kind === "begun" && line.work.kind === "append" && line.work.count > 0) {
      return { number: line.number, term: line.work.term, next: line.work.first + line.work.count };
    }
  }
  throw new Error("The program appended entries");
}

describe("the check of a store against what its process told", () => {
  test("finds nothing wrong with the whole story", async () => {
    expect(await verdict(told)).toBeNull();
  });

  test("finds nothing wrong if work that was begun did not happen", async () => {
    const { term, next } = lastAppend();
    const begun: StorageLine = { kind: "begun", number: 1_000, work: { kind: "append", term, vote: 0, first: next, count: 2 } };
    expect(await verdict([...told, begun])).toBeNull();
  });

  test("misses entries that were acknowledged", async () => {
    const { term, next } = lastAppend();
    const begun: StorageLine = { kind: "begun", number: 1_000, work: { kind: "append", term, vote: 0, first: next, count: 2 } };
    expect(await verdict([...told, begun, { kind: "done", number: 1_000 }])).toMatch(/^found snapshot .*, possible are snapshot /);
  });

  test("misses a vote that was acknowledged", async () => {
    const { term, next } = lastAppend();
    const work = { kind: "append", term: term + 90, vote: 2, first: next, count: 0 } as const;
    const lines: readonly StorageLine[] = [...told, { kind: "begun", number: 1_000, work }, { kind: "done", number: 1_000 }];
    expect(await verdict(lines)).toMatch(/^term \d+ and vote \d are neither of \d+\/2$/);
  });

  test("misses a snapshot that was acknowledged", async () => {
    const { term, next } = lastAppend();
    const work = { kind: "save", at: { index: next - 1, term } } as const;
    const lines: readonly StorageLine[] = [...told, { kind: "begun", number: 1_000, work }, { kind: "done", number: 1_000 }];
    expect(await verdict(lines)).toMatch(/^found snapshot /);
  });

  test("finds entries that nobody appended", async () => {
    const { number } = lastAppend();
    expect(await verdict(told.filter((line) => line.kind === "opened" || line.number < number))).toMatch(/^found snapshot /);
  });

  test("finds a store that says itself that it lost something", async () => {
    const log = new AcknowledgedLog();
    const lost = { from: 3, description: "wal/1.wal is damaged at byte 8192" };
    const recovered = {
      hardState: { term: 1, vote: 0, commit: 0 },
      snapshot: null,
      replay: null,
      entries: [],
      logBytes: 0,
      quarantine: null,
      lost,
    };
    expect(await log.check({ recovered, readSnapshot: () => Promise.resolve(null) })).toContain(`lost something: ${lost.description}`);
  });
});
