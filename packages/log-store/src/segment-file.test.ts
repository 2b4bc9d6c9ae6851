import { DiskError, type DiskFile } from "@raftkv/raft-node";
import { beforeEach, describe, expect, test } from "vitest";
import { FRAMES_OFFSET, PAGE_BYTES } from "./format.ts";
import { SegmentFile } from "./segment-file.ts";
import { testBytes } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

const sizeBytes = 8 * PAGE_BYTES;
const header = testBytes(FRAMES_OFFSET, 1);
const page = testBytes(PAGE_BYTES, 2);
const pages = testBytes(2 * PAGE_BYTES, 3);
let disk: MemoryDisk;
let file: DiskFile;

beforeEach(async () => {
  disk = new MemoryDisk();
  file = await disk.open("/segment", "create");
  await disk.syncDirectory("/");
});

describe("a segment's file", () => {
  test("has everything that was written to make it on the disk before the first append", async () => {
    await SegmentFile.make(file, header, sizeBytes);
    const bytes = disk.afterPowerLoss(() => false).peek("/segment");
    expect(bytes).toEqual(Uint8Array.of(...header, ...new Uint8Array(sizeBytes - FRAMES_OFFSET)));
  });

  test("has what was appended on the disk, each time by one call", async () => {
    const segment = await SegmentFile.make(file, header, sizeBytes);
    const { callCount } = disk;
    await segment.append(FRAMES_OFFSET, [page]);
    await segment.append(FRAMES_OFFSET + PAGE_BYTES, [pages.subarray(0, 100), pages.subarray(100)]);
    expect(disk.callCount - callCount).toBe(2);
    const bytes = disk.afterPowerLoss(() => false).peek("/segment");
    expect(bytes.subarray(FRAMES_OFFSET, FRAMES_OFFSET + 3 * PAGE_BYTES)).toEqual(Uint8Array.of(...page, ...pages));
    expect(bytes.length).toBe(sizeBytes);
  });

  test.each(["write", "sync"] as const)("is not there if a %s that makes it fails", async (failing) => {
    disk.before = ({ name, path }) => {
      if (name === failing) throw new DiskError("io", path, `${name} failed`);
    };
    await expect(SegmentFile.make(file, header, sizeBytes)).rejects.toThrow(`${failing} failed`);
  });

  test.each([
    ["over the header", 0, page],
    ["beyond the last page", FRAMES_OFFSET + PAGE_BYTES, page],
    ["of part of a page", FRAMES_OFFSET, page.subarray(1)],
    ["of nothing", FRAMES_OFFSET, new Uint8Array(0)],
    ["beyond the zeros", FRAMES_OFFSET, new Uint8Array(sizeBytes)],
  ])("refuses an append %s", async (_, offset, bytes) => {
    const segment = await SegmentFile.make(file, header, sizeBytes);
    expect(() => segment.append(offset, [bytes])).toThrow("Assertion failed");
  });

  test("refuses to write a page again", async () => {
    const segment = await SegmentFile.make(file, header, sizeBytes);
    await segment.append(FRAMES_OFFSET, [page]);
    expect(() => segment.append(FRAMES_OFFSET, [page])).toThrow("Assertion failed");
  });
});
