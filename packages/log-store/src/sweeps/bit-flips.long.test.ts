import { describe, expect, test } from "vitest";
import { snapshotName } from "../data-directory.ts";
import { SECTOR_BYTES } from "../format.ts";
import { META_BYTES, META_PAIRS } from "../meta-record.ts";
import { SeededRandom } from "../testing/fixture.ts";
import { makeSampleDirectory, type SampleDirectory, type SampleOptions } from "./sample-directory.ts";
import { SWEEP_TIMEOUT_MS, Sweep } from "./sweep.ts";

/** Bits to flip: all of them in a small file and in sectors that hold something, 64 of each sector that is empty. */
function* bitsOf(bytes: Uint8Array): Generator<number> {
  for (let sector = 0; sector < bytes.length; sector += SECTOR_BYTES) {
    const isEmpty = bytes.length > META_BYTES && bytes.subarray(sector, sector + SECTOR_BYTES).every((byte) => byte === 0);
    for (let bit = sector * 8; bit < Math.min(sector + SECTOR_BYTES, bytes.length) * 8; bit += isEmpty ? 65 : 1) yield bit;
  }
}

async function flipEveryBit(directory: SampleDirectory, place: string): Promise<Sweep> {
  const sweep = new Sweep(directory);
  for (const path of directory.disk.files(place).filter((name) => !name.endsWith(".tmp"))) {
    const bytes = directory.disk.peek(path);
    for (const bit of bitsOf(bytes)) {
      const at = bit >> 3;
      const before = bytes[at] ?? 0;
      bytes[at] = before ^ (1 << (bit & 7));
      await sweep.replaceFile(path, bytes, `bit ${bit}`);
      bytes[at] = before;
    }
  }
  return sweep;
}

const metaPath = "/data/meta";
/** What each change of a bit may come to, beside leaving everything intact, and how many there are at least. */
const cases: readonly (readonly [string, string, SampleOptions, "repair" | "quarantine", number])[] = [
  ["a log that was sealed", "/data/wal/", { end: "closed", log: "whole" }, "repair", 131_072],
  ["a log whose last batch nothing proves", "/data/wal/", { end: "killed", log: "whole" }, "repair", 131_072],
  ["a log that goes on from a snapshot", "/data/wal/", { end: "killed", log: "compacted" }, "repair", 65_536],
  ["the newer one of two snapshots", `/data/snap/${snapshotName(8, 2)}`, { end: "closed", log: "compacted" }, "repair", 131_072],
  ["the only snapshot", "/data/snap/", { end: "closed", log: "installed" }, "repair", 131_072],
  ["the meta file", metaPath, { end: "closed", log: "compacted" }, "quarantine", META_BYTES * 8],
];

describe("the change of any one bit", { timeout: SWEEP_TIMEOUT_MS }, () => {
  test.each(cases)("of %s loses nothing silently", async (name, place, options, consequence, trialsMin) => {
    const sweep = await flipEveryBit(await makeSampleDirectory(options), place);
    const { counts, opened, wrong, refusals, trials } = sweep;
    console.info(`bit flips in ${name}: ${JSON.stringify({ trials, opened, ...counts, refusals })}`);
    expect(wrong).toEqual([]);
    expect(counts.intact + counts[consequence]).toBe(trials);
    expect(trials).toBeGreaterThanOrEqual(trialsMin);
  });

  test.each(META_PAIRS)("in each copy of a pair of the meta file, at %i and %i, takes the member out of service", async (...pair) => {
    const directory = await makeSampleDirectory({ end: "closed", log: "whole" });
    const sweep = new Sweep(directory, { openedAtLeast: 4 });
    const random = new SeededRandom(1);
    const before = directory.disk.peek(metaPath);
    for (let trial = 0; trial < 8_192; trial++) {
      const bytes = before.slice();
      for (const copy of pair) {
        const at = copy + random.below(SECTOR_BYTES);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      }
      await sweep.replaceFile(metaPath, bytes, `trial ${trial}`);
    }
    const { counts, opened, wrong, trials } = sweep;
    console.info(`pairs of bit flips in the meta file: ${JSON.stringify({ trials, opened, ...counts })}`);
    expect(wrong).toEqual([]);
    expect(counts.quarantine).toBe(trials);
  });
});
