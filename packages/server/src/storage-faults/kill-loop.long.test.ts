import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { added, runKillLoop } from "./kill-loop.ts";
import { buildStorageProgram } from "./storage-program-file.ts";

const cycles = 100;

test("a store whose process is killed at any moment holds what it acknowledged, and nothing by halves", async () => {
  const folder = mkdtempSync(join(tmpdir(), "raftkv-kills-"));
  try {
    const program = buildStorageProgram(folder);
    // Two at once: a program that starts and the check of what another one left take turns.
    const [one, other] = await Promise.all([1, 2].map((seed) => runKillLoop({ program, seed, cycles })));
    if (one === undefined || other === undefined) throw new Error("Two loops ran");
    const counts = added(one, other);
    console.info(`storage killed: ${JSON.stringify(counts)}`);
    expect(counts.cycles).toBe(2 * cycles);
    // A loop that never comes far shows nothing.
    for (const count of [counts.whileOpening, counts.underWay, counts.snapshots, counts.compactions]) expect(count).toBeGreaterThan(10);
    expect(counts.entries).toBeGreaterThan(5_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
