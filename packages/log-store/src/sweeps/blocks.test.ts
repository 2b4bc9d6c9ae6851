import { describe, expect, test } from "vitest";
import { PAGE_BYTES, SECTOR_BYTES } from "../format.ts";
import { SeededRandom } from "../testing/fixture.ts";
import { makeSampleDirectory, type SampleDirectory, type SampleOptions } from "./sample-directory.ts";
import { SWEEP_TIMEOUT_MS, Sweep } from "./sweep.ts";

type Replacement = readonly [name: string, block: Uint8Array];

/** What the same place of the file held at earlier moments, each content once. */
function staleBlocks({ earlier }: SampleDirectory, path: string, from: number, to: number): readonly Replacement[] {
  const contents = new Map<string, Uint8Array>();
  for (const disk of earlier) {
    if (!disk.files().includes(path)) continue;
    const block = disk.peek(path).slice(from, to);
    if (block.length === to - from) contents.set(Buffer.from(block).toString("latin1"), block);
  }
  return [...contents.values()].map((block) => ["its content before a write", block]);
}

function replacements(directory: SampleDirectory, path: string, bytes: Uint8Array, from: number, to: number): readonly Replacement[] {
  const length = to - from;
  const random = new SeededRandom(from + length);
  const before: readonly Replacement[] = from < length ? [] : [["the block before", bytes.slice(from - length, from)]];
  const after: readonly Replacement[] = to + length > bytes.length ? [] : [["the block after", bytes.slice(to, to + length)]];
  return [
    ["zeros", new Uint8Array(length)],
    ["ones", new Uint8Array(length).fill(0xff)],
    ["rubbish", random.bytes(length)],
    ...before,
    ...after,
    ...staleBlocks(directory, path, from, to),
  ];
}

/** Replaces every block of every file. Returns which replacements cut the log: their names, and whether the block was all zero. */
async function replaceEveryBlock(
  directory: SampleDirectory,
  blockBytes: number,
): Promise<{ readonly sweep: Sweep; readonly cuts: readonly string[] }> {
  const sweep = new Sweep(directory, { openedAtLeast: 1 });
  const cuts: string[] = [];
  for (const path of directory.disk.files().filter((name) => !name.endsWith(".tmp"))) {
    const bytes = directory.disk.peek(path);
    for (let from = 0; from < bytes.length; from += blockBytes) {
      const to = Math.min(from + blockBytes, bytes.length);
      for (const [name, block] of replacements(directory, path, bytes, from, to)) {
        const changed = bytes.slice();
        changed.set(block, from);
        const verdict = await sweep.replaceFile(path, changed, `${name} at ${from}`);
        if (verdict.kind === "cut") cuts.push(block.every((byte) => byte === 0) ? "zeros" : name);
      }
    }
  }
  return { sweep, cuts };
}

const directories: readonly SampleOptions[] = [
  { end: "closed", log: "whole" },
  { end: "closed", log: "compacted" },
  { end: "killed", log: "whole" },
  { end: "closed", log: "installed" },
  { end: "killed", log: "compacted" },
  { end: "closed", log: "whole", data: "zeros" },
];

describe.each([SECTOR_BYTES, PAGE_BYTES])("a block of %i bytes that holds something else", { timeout: SWEEP_TIMEOUT_MS }, (blockBytes) => {
  test.each(directories)("loses nothing silently: %j", async (options) => {
    const { sweep, cuts } = await replaceEveryBlock(await makeSampleDirectory(options), blockBytes);
    const { counts, wrong, refusals, trials } = sweep;
    console.info(`blocks of ${blockBytes}, ${JSON.stringify(options)}: ${JSON.stringify({ trials, ...counts, refusals })}`);
    expect(wrong).toEqual([]);
    expect(counts.refused).toBe(0);
    expect(counts.repair).toBeGreaterThan(0);
    // Zeros in a batch that nothing proves look like a write that never reached the disk. A log that was closed in order has none.
    expect(new Set(cuts)).toEqual(new Set(options.end === "closed" ? [] : ["zeros"]));
  });
});
