import { beforeAll, describe, expect, test } from "vitest";
import { PAGE_BYTES, SECTOR_BYTES } from "../format.ts";
import { makeSampleDirectory, type SampleDirectory } from "./sample-directory.ts";
import { Sweep } from "./sweep.ts";

/** Where a piece of a file comes from or goes to. */
interface Place {
  readonly path: string;
  readonly at: number;
}

let directory: SampleDirectory;

beforeAll(async () => {
  directory = await makeSampleDirectory({ end: "closed", log: "whole" });
});

/** The pieces of `length` bytes of all files that hold something. */
function usedPlaces({ disk }: SampleDirectory, length: number): readonly Place[] {
  return disk.files().flatMap((path) => {
    const bytes = disk.peek(path);
    const count = Math.floor(bytes.length / length);
    const used = Array.from({ length: count }, (_, at) => at * length).filter((at) =>
      bytes.subarray(at, at + length).some((byte) => byte !== 0),
    );
    return used.map((at) => ({ path, at }));
  });
}

/** Puts each of `sources` over each used place of the directory that `isTarget` accepts. */
async function copyOver(
  sweep: Sweep,
  source: SampleDirectory,
  length: number,
  isTarget: (from: Place, to: Place) => boolean,
): Promise<void> {
  const targets = usedPlaces(directory, length).filter(({ path }) => !path.endsWith(".tmp"));
  for (const from of usedPlaces(source, length)) {
    const piece = source.disk.peek(from.path).subarray(from.at, from.at + length);
    for (const to of targets) {
      if (!isTarget(from, to)) continue;
      const changed = directory.disk.peek(to.path);
      changed.set(piece, to.at);
      await sweep.replaceFile(to.path, changed, `${length} bytes at ${to.at} come from ${from.at} of ${from.path}`);
    }
  }
}

function expectNothingLost(name: string, { trials, opened, counts, refusals, wrong }: Sweep): void {
  console.info(`${name}: ${JSON.stringify({ trials, opened, ...counts, refusals })}`);
  expect(wrong).toEqual([]);
  expect(counts.cut).toBe(0);
}

describe("sound bytes at the wrong place", () => {
  test.each([SECTOR_BYTES, PAGE_BYTES])("lose nothing silently where %i of them stand over others of the directory", async (length) => {
    const sweep = new Sweep(directory);
    await copyOver(sweep, directory, length, () => true);
    expectNothingLost(`${length} bytes misplaced`, sweep);
    expect(sweep.counts.refused).toBe(0);
  });

  test("lose nothing silently where two pages of a segment changed places", async () => {
    const sweep = new Sweep(directory);
    const pages = usedPlaces(directory, PAGE_BYTES);
    for (const a of pages) {
      for (const b of pages) {
        if (a.path !== b.path || a.at >= b.at || a.path.endsWith(".tmp")) continue;
        const bytes = directory.disk.peek(a.path);
        const changed = bytes.slice();
        changed.set(bytes.subarray(a.at, a.at + PAGE_BYTES), b.at);
        changed.set(bytes.subarray(b.at, b.at + PAGE_BYTES), a.at);
        await sweep.replaceFile(a.path, changed, `pages ${a.at} and ${b.at} changed places`);
      }
    }
    expectNothingLost("pages swapped", sweep);
    expect(sweep.counts.refused).toBe(0);
  });

  test.each([
    ["another member", { clusterId: 1n, memberId: 0xfeed_0000_0000_0002n }],
    ["another cluster", { clusterId: 0xc1a5_7e12_0000_0002n, memberId: 0xfeed_0000_0000_0001n }],
  ])("lose nothing silently if they come from %s", async (name, identity) => {
    const foreign = await makeSampleDirectory({ end: "closed", log: "whole", identity });
    const sweep = new Sweep(directory);
    await copyOver(sweep, foreign, PAGE_BYTES, (from, to) => from.at === to.at);
    for (const path of foreign.disk.files()) {
      if (!path.endsWith(".tmp")) await sweep.replaceFile(path, foreign.disk.peek(path), `the whole file is that of ${name}`);
    }
    expectNothingLost(`from ${name}`, sweep);
    expect(Object.keys(sweep.refusals).filter((code) => code !== "ERR_FOREIGN_FILE" && code !== "ERR_IDENTITY")).toEqual([]);
  });

  test("lose nothing silently if they come from another life of the same member", async () => {
    const other = await makeSampleDirectory({ end: "closed", log: "whole", firstSeed: 50 });
    const sweep = new Sweep(directory);
    await copyOver(sweep, other, PAGE_BYTES, (from, to) => from.at === to.at && from.path === to.path);
    expectNothingLost("from another life", sweep);
  });
});
