import { beforeEach, describe, expect, test } from "vitest";
import { inspectDataDirectory } from "./data-inspection.ts";
import type { DataReport, FileReport } from "./data-report.ts";
import { encodeQuarantine } from "./quarantine-file.ts";
import { damageCases, segmentPath, snapshotPath } from "./testing/damage-cases.ts";
import { makeSoundDirectory, spoil } from "./testing/damaged-directory.ts";
import { LineLogger, openTestStore } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

let disk: MemoryDisk;

beforeEach(async () => {
  ({ disk } = await makeSoundDirectory({ lastIndex: 14, snapshots: [5, 9] }));
});

function contents(): readonly (readonly [string, string])[] {
  return disk.files().map((path) => [path, Buffer.from(disk.peek(path)).toString("base64")]);
}

function file(report: DataReport, path: string): FileReport | undefined {
  return report.files.find((candidate) => `/data/${candidate.path}` === path);
}

describe("inspecting a directory", () => {
  test.each(damageCases)("foretells what a start comes to, and changes nothing: $what", async (damageCase) => {
    ({ disk } = await makeSoundDirectory(damageCase.made));
    damageCase.damage(disk);
    const before = contents();
    const report = await inspectDataDirectory(disk, "/data");
    expect(contents()).toEqual(before);
    expect(disk.openFiles).toBe(0);
    expect(report).toEqual(JSON.parse(JSON.stringify(report)));
    const logger = new LineLogger();
    const store = await openTestStore(disk, { seed: 2, logger });
    const { snapshot, entries, lost, hardState } = store.recovered;
    await store.close();
    expect(logger.lines.find(({ message }) => message === "log read")?.fields).toMatchObject({ decision: report.decision });
    expect(report).toMatchObject({
      outcome: lost === null ? "sound" : "repair",
      lost,
      meta: { term: hardState.term, vote: hardState.vote.toString(16).padStart(16, "0") },
      log: { snapshotIndex: snapshot?.index ?? 0, lastIndex: entries.at(-1)?.index ?? snapshot?.index ?? 0 },
    });
    // Until the repair ends, an inspection says so.
    expect(await inspectDataDirectory(disk, "/data")).toMatchObject({ outcome: report.outcome, lost });
  });

  test("names every file with its size and what it holds", async () => {
    const { files } = await inspectDataDirectory(disk, "/data");
    expect(files.map(({ path }) => `/data/${path}`).sort()).toEqual(disk.files("/data"));
    for (const { path, sizeBytes } of files) expect(sizeBytes).toBe(disk.peek(`/data/${path}`).length);
    expect(new Set(files.map(({ verdict }) => verdict))).toEqual(new Set(["sound", "unused"]));
    expect(files.find(({ kind }) => kind === "segment")?.detail).toMatch(/^\d+ entries in \d+ batches, up to log index \d+$/);
    expect(files.find(({ kind }) => kind === "snapshot")?.detail).toBe("log index 5 of term 2, 200 bytes of state");
    expect(files.find(({ kind }) => kind === "meta")?.detail).toBe("term 2, vote 0000000000000003");
  });

  test("says which file is damaged, and where", async () => {
    const segment = segmentPath(disk, 1);
    spoil(disk, segment, 3 * 4_096 + 100);
    spoil(disk, snapshotPath(9), 4_200);
    spoil(disk, "/data/meta", 30);
    disk.poke("/data/snap/own-1.tmp", new Uint8Array(9));
    disk.poke("/data/notes.txt", new Uint8Array(9));
    const report = await inspectDataDirectory(disk, "/data");
    expect(file(report, segment)).toMatchObject({ verdict: "damaged", detail: expect.stringMatching(/^at offset 12288: /) });
    expect(file(report, snapshotPath(9))).toMatchObject({ verdict: "damaged", detail: expect.stringContaining("offset 4096") });
    expect(file(report, "/data/meta")).toMatchObject({ verdict: "damaged", detail: "1 of its 4 copies; the others are used" });
    expect(file(report, "/data/snap/own-1.tmp")).toMatchObject({ kind: "temporary", verdict: "unused" });
    expect(file(report, "/data/notes.txt")).toMatchObject({ kind: "other", verdict: "unused" });
  });

  test("tells that term and vote are lost, and still judges every other file", async () => {
    disk.poke("/data/meta", new Uint8Array(53_248));
    const report = await inspectDataDirectory(disk, "/data");
    expect(report).toMatchObject({ outcome: "quarantine", errorCode: "ERR_META_DAMAGED", meta: null, log: null, decision: null });
    expect(file(report, "/data/meta")?.verdict).toBe("damaged");
    expect(file(report, snapshotPath(9))?.verdict).toBe("sound");
    disk.lose("/data/meta");
    expect(await inspectDataDirectory(disk, "/data")).toMatchObject({ outcome: "quarantine", errorCode: "ERR_META_MISSING" });
  });

  test("tells that the member recorded that it can't be trusted", async () => {
    disk.poke("/data/quarantine", encodeQuarantine({ kind: "storage", description: "the disk lied" }));
    const report = await inspectDataDirectory(disk, "/data");
    expect(report).toMatchObject({ outcome: "quarantine", summary: "the disk lied", decision: "L1 S1" });
    expect(file(report, "/data/quarantine")).toMatchObject({ verdict: "sound", detail: "the disk lied" });
    spoil(disk, "/data/quarantine", 30);
    const damaged = await inspectDataDirectory(disk, "/data");
    expect(damaged).toMatchObject({ outcome: "quarantine", summary: expect.stringContaining("not why: it is damaged") });
    expect(file(damaged, "/data/quarantine")).toMatchObject({ verdict: "damaged", detail: "it is damaged" });
  });

  test("tells that a file of another member keeps the directory from being opened", async () => {
    const other = new MemoryDisk();
    await (await openTestStore(other, { identity: { clusterId: 1n, memberId: 2n } })).close();
    const path = "/data/wal/00000000000000ff.wal";
    disk.poke(path, other.peek(other.files("/data/wal")[0] ?? ""));
    const report = await inspectDataDirectory(disk, "/data");
    expect(report).toMatchObject({ outcome: "refused", errorCode: "ERR_FOREIGN_FILE" });
    expect(file(report, path)?.verdict).toBe("foreign");
  });

  test("is refused while a member runs, and for a directory that is not there", async () => {
    const store = await openTestStore(disk, { seed: 2 });
    await expect(inspectDataDirectory(disk, "/data")).rejects.toMatchObject({ code: "ERR_DATA_DIR_LOCKED" });
    await store.close();
    await expect(inspectDataDirectory(disk, "/elsewhere")).rejects.toMatchObject({ code: "ERR_STORAGE_FAILED" });
  });

  test("finds nothing in a new directory", async () => {
    disk = new MemoryDisk();
    await disk.makeDirectory("/data");
    expect(await inspectDataDirectory(disk, "/data")).toMatchObject({ outcome: "empty", files: [], meta: null });
  });
});
