import { expect, test } from "vitest";
import type { AppendResult } from "./append-cell.ts";
import { formatTargets, judgeTargets } from "./bench-targets.ts";
import type { StallPhase } from "./stall-run.ts";

const latency = { p50Ms: 1, p99Ms: 2, maxMs: 3 };
const spreadOf = (value: number) => ({ median: value, min: value, max: value });

function cell(diskRatio: number, lmdbRatio: number): AppendResult {
  const log = (name: string, ratio: number) => ({ name, entriesPerSecond: 1, writesPerSecond: 1, latency, ratio: spreadOf(ratio) });
  return {
    entryBytes: 64,
    callers: 1,
    writeBytes: 4096,
    raftkv: log("raftkv", 1),
    raw: [{ durability: "O_DSYNC", writesPerSecond: 1, latency, ratio: spreadOf(diskRatio) }],
    others: [log("lmdb", lmdbRatio)],
  };
}

function phase(ownMaxMs: number): StallPhase {
  return { name: "snapshots read", seconds: 1, appendsPerSecond: 1, latency, loop: { p99Ms: 1, maxMs: 99, ownMaxMs }, snapshotBytes: 1 };
}

test("rates are judged over all cells, stalls by what the process did itself", () => {
  const verdicts = judgeTargets({ appends: [cell(0.1, 2), cell(1.6, 0.32)], stalls: [phase(9), phase(11)] });
  expect(formatTargets(verdicts)).toEqual([
    "met     0.400 of the rate of O_DSYNC, at least 0.3",
    "MISSED  0.800 of the rate of lmdb, at least 1",
    "met     snapshots read: the event loop is held for 9.00 ms at a stretch, at most 10",
    "MISSED  snapshots read: the event loop is held for 11.0 ms at a stretch, at most 10",
  ]);
});

test("what was not measured is not judged", () => {
  expect(judgeTargets({ appends: [], stalls: [] })).toEqual([]);
});
