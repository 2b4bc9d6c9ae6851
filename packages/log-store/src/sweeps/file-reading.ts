import { createHash } from "node:crypto";
import { serialize } from "node:v8";
import { segmentNumberOf } from "../data-directory.ts";
import { LogStoreError } from "../log-store-error.ts";
import { COPY_BYTES, decodeCopy, META_PAIRS } from "../meta-record.ts";
import { judgeSegment } from "../segment-reading.ts";
import { verifySnapshotFile } from "../snapshot-file.ts";
import { testIdentity } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";

/**
 * A digest of all that a store learns from the bytes of a file, apart from the words for people. Two contents with the same reading
 * lead to the same decision, so that one of them need not be opened.
 */
export async function readingOf(path: string, bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha1").update(path);
  try {
    hash.update(serialize(await read(path, bytes)));
  } catch (reason) {
    if (!(reason instanceof LogStoreError)) throw reason;
    hash.update(reason.code);
  }
  return hash.digest("base64");
}

async function read(path: string, bytes: Uint8Array): Promise<unknown> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const number = segmentNumberOf(name);
  if (number !== null) {
    const found = judgeSegment(bytes, { path, number }, testIdentity);
    return "problem" in found ? { ...found, problem: "" } : found;
  }
  if (name === "meta") return META_PAIRS.flat().map((offset) => decodeCopy(bytes.subarray(offset, offset + COPY_BYTES), offset));
  const disk = new MemoryDisk();
  disk.poke(path, bytes);
  return verifySnapshotFile(disk, path);
}
