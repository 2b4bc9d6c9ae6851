import { votersOnly } from "@raftkv/raft-core";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { CHUNK_BYTES, CHUNK_HEADER_BYTES, FOOTER_BYTES, SNAPSHOT_HEADER_BYTES, type SnapshotHeader } from "./snapshot-codec.ts";
import { readState, verifySnapshotFile, writeSnapshotFile } from "./snapshot-file.ts";
import { chunksOf, jointConfiguration, snapshotMeta, testBytes, testIdentity } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

const header: SnapshotHeader = { ...testIdentity, storeId: 7n, kind: "own", meta: snapshotMeta(500, 7) };
const path = "/snap/file";
let disk = new MemoryDisk();

beforeEach(async () => {
  disk = new MemoryDisk();
  await disk.makeDirectory("/snap");
});

async function stateOf(): Promise<Buffer> {
  const file = await disk.open(path, "read");
  const parts: Uint8Array[] = [];
  try {
    for await (const part of readState(file, path)) parts.push(part);
  } finally {
    await file.close();
  }
  return Buffer.concat(parts);
}

describe("a snapshot file", () => {
  test("gives back the state, however it was cut into pieces", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3_000), { maxLength: 8 }), async (lengths) => {
        disk.lose(path);
        const parts = lengths.map((length, at) => testBytes(length, at));
        const written = await writeSnapshotFile(disk, path, header, chunksOf(...parts));
        expect(written.payloadBytes).toBe(lengths.reduce((sum, length) => sum + length, 0));
        expect((await stateOf()).equals(Buffer.concat(parts))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test("has chunks of 256 KiB and a last one with the rest", async () => {
    const state = testBytes(2 * CHUNK_BYTES + 13, 3);
    const written = await writeSnapshotFile(disk, path, header, chunksOf(state.subarray(0, 100), state.subarray(100)));
    expect(written.fileBytes).toBe(SNAPSHOT_HEADER_BYTES + 3 * CHUNK_HEADER_BYTES + 2 * CHUNK_BYTES + 16 + FOOTER_BYTES);
    expect(written.fileBytes).toBe(disk.peek(path).length);
    expect((await stateOf()).equals(state)).toBe(true);
  });

  test("never lets more than 1 MiB and a chunk wait for the disk while it is written", async () => {
    const writesAtOnce: number[] = [0];
    disk.before = ({ name }) => {
      if (name === "write") writesAtOnce.push((writesAtOnce.pop() ?? 0) + 1);
      else if (name === "sync") writesAtOnce.push(0);
    };
    await writeSnapshotFile(disk, path, header, chunksOf(new Uint8Array(40 * CHUNK_BYTES)));
    expect(writesAtOnce).toEqual([5, ...Array.from({ length: 9 }, () => 4), 1, 0]);
  });

  test("keeps the whole configuration", async () => {
    const joint = { ...header, meta: { ...header.meta, configuration: jointConfiguration } };
    expect((await writeSnapshotFile(disk, path, joint, chunksOf(testBytes(10, 1)))).meta).toEqual(joint.meta);
  });

  test("has room for 493 members", async () => {
    const withMembers = (count: number): SnapshotHeader => {
      const configuration = votersOnly(Array.from({ length: count }, (_, at) => at + 1));
      return { ...header, meta: { ...header.meta, configuration } };
    };
    expect((await writeSnapshotFile(disk, path, withMembers(493), chunksOf())).meta).toEqual(withMembers(493).meta);
    disk.lose(path);
    await expect(writeSnapshotFile(disk, path, withMembers(494), chunksOf())).rejects.toMatchObject({ code: "ERR_SNAPSHOT" });
  });

  test("is the same for the same state", async () => {
    const state = testBytes(1_000, 5);
    const first = await writeSnapshotFile(disk, path, header, chunksOf(state));
    disk.lose(path);
    const second = await writeSnapshotFile(disk, path, header, chunksOf(state.subarray(0, 1), state.subarray(1)));
    expect(second).toEqual(first);
  });

  test("is refused after the change of any one bit", async () => {
    await writeSnapshotFile(disk, path, header, chunksOf(testBytes(500, 1)));
    const whole = disk.peek(path);
    const wrong: number[] = [];
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const at = bit >> 3;
      whole[at] = (whole[at] ?? 0) ^ (1 << (bit & 7));
      disk.poke(path, whole);
      const code = await verifySnapshotFile(disk, path).then(
        () => "accepted",
        (reason: unknown) => (reason instanceof Error && "code" in reason ? reason.code : reason),
      );
      if (code !== "ERR_DATA_DAMAGED") wrong.push(bit);
      whole[at] = (whole[at] ?? 0) ^ (1 << (bit & 7));
    }
    expect(wrong).toEqual([]);
  });

  test("is refused if it is cut off or longer, and a reader notices too", async () => {
    await writeSnapshotFile(disk, path, header, chunksOf(testBytes(900, 1)));
    const whole = disk.peek(path);
    for (let length = 0; length < whole.length; length += 37) {
      disk.poke(path, whole.subarray(0, length));
      await expect(verifySnapshotFile(disk, path)).rejects.toMatchObject({ code: "ERR_DATA_DAMAGED" });
    }
    disk.poke(path, Uint8Array.of(...whole, 0));
    await expect(verifySnapshotFile(disk, path)).rejects.toMatchObject({ code: "ERR_DATA_DAMAGED" });
    const changed = whole.slice();
    changed.fill(0, SNAPSHOT_HEADER_BYTES + 100, SNAPSHOT_HEADER_BYTES + 101);
    disk.poke(path, changed);
    await expect(stateOf()).rejects.toThrow(`offset ${SNAPSHOT_HEADER_BYTES}`);
  });
});
