import { beforeAll, describe, expect, test } from "vitest";
import { crc32c } from "../crc32c.ts";
import { FRAMES_OFFSET, viewOf } from "../format.ts";
import { FRAME_HEADER_BYTES, FRAME_MAGIC, frameBytes, saltCrcOf } from "../frame.ts";
import { makeSampleDirectory, type SampleDirectory } from "./sample-directory.ts";
import { judge, type Verdict } from "./verdict.ts";

/** Which checksums a forger mends after a change: each one also mends those before it. */
type Mended = "none" | "payload" | "header" | "chain";

let directory: SampleDirectory;
let path: string;

beforeAll(async () => {
  directory = await makeSampleDirectory({ end: "killed", log: "whole" });
  // The newest segment that holds frames: nothing outside it names a checksum of it.
  const used = directory.disk
    .files("/data/wal/")
    .filter((name) => viewOf(directory.disk.peek(name)).getUint32(FRAMES_OFFSET, true) === FRAME_MAGIC);
  path = used.at(-1) ?? "";
});

/** Offsets of all frames of a segment. */
function framesOf(bytes: Uint8Array): readonly number[] {
  const view = viewOf(bytes);
  const offsets: number[] = [];
  for (let at = FRAMES_OFFSET; at + FRAME_HEADER_BYTES <= bytes.length; ) {
    const isFrame = view.getUint32(at, true) === FRAME_MAGIC;
    if (isFrame) offsets.push(at);
    at += isFrame ? frameBytes(view.getUint32(at + 8, true)) : 8;
  }
  return offsets;
}

/** Changes the last byte of a frame's payload and mends checksums. */
function forge(bytes: Uint8Array, frame: number, mended: Mended): void {
  const view = viewOf(bytes);
  const saltCrc = saltCrcOf(bytes.subarray(40, 48));
  const sealHeader = (at: number): number => {
    const crc = crc32c(bytes.subarray(at + 8, at + FRAME_HEADER_BYTES), saltCrc);
    view.setUint32(at + 4, crc, true);
    return crc;
  };
  const payloadBytes = view.getUint32(frame + 8, true);
  const last = frame + FRAME_HEADER_BYTES + payloadBytes - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  if (mended === "none") return;
  view.setUint32(frame + 12, crc32c(bytes.subarray(frame + FRAME_HEADER_BYTES, frame + frameBytes(payloadBytes))), true);
  if (mended === "payload") return;
  let previous = sealHeader(frame);
  if (mended === "header") return;
  for (const later of framesOf(bytes).filter((at) => at > frame)) {
    view.setUint32(later + 48, previous, true);
    previous = sealHeader(later);
  }
}

async function judgeForged(mended: Mended): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const bytes = directory.disk.peek(path);
  const view = viewOf(bytes);
  // Entries, and not the last frame of the log: nothing names its checksum.
  for (const frame of framesOf(bytes).filter((at) => view.getUint8(at + 52) === 1)) {
    const forged = bytes.slice();
    forge(forged, frame, mended);
    const disk = directory.disk.afterKill();
    disk.poke(path, forged);
    verdicts.push(await judge(disk, directory.acknowledged));
  }
  return verdicts;
}

describe("an entry that was changed", () => {
  test.each(["none", "payload", "header"] as const)("is found while one checksum is left that was not mended: %s", async (mended) => {
    const kinds = (await judgeForged(mended)).map(({ kind }) => kind);
    expect(kinds.length).toBeGreaterThan(5);
    expect(new Set(kinds)).toEqual(new Set(["repair"]));
  });

  test("is served if all of them were mended, and this sweep notices", async () => {
    const verdicts = await judgeForged("chain");
    console.info(`entries changed under mended checksums: ${JSON.stringify({ trials: verdicts.length })}`);
    for (const verdict of verdicts) {
      expect(verdict).toMatchObject({ kind: "wrong", what: expect.stringMatching(/entry \d+ is not what was acknowledged/) });
    }
  });
});

describe("a loss that the store can't know of", () => {
  test("is noticed by this sweep", async () => {
    const { disk, acknowledged } = directory;
    const after = { index: acknowledged.entries.size + 1, term: 3, kind: "command", data: new Uint8Array(1) } as const;
    const more = { ...acknowledged, entries: new Map([...acknowledged.entries, [after.index, after]]), provenIndex: after.index };
    const verdict = await judge(disk.afterKill(), more);
    expect(verdict).toMatchObject({ kind: "wrong", what: expect.stringMatching(/silently lost/) });
  });
});
