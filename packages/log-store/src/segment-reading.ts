import { type Disk, DiskError } from "@raftkv/raft-node";
import { type DataDirectory, listIfThere, segmentNumberOf } from "./data-directory.ts";
import { EntryMemory } from "./entry-memory.ts";
import { FRAMES_OFFSET, hex16, type Identity, PAGE_BYTES } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import { decodeSegmentHeader, type SegmentHeader } from "./segment-header.ts";
import { type SegmentScan, scanSegment } from "./segment-scan.ts";
import { readSmallFile } from "./small-file.ts";

/** A segment file as it was found: read, or unusable for a reason. */
export type FoundSegment =
  | { readonly number: number; readonly path: string; readonly scan: SegmentScan }
  | { readonly number: number; readonly path: string; readonly problem: string };

/** All segments, ascending, each read once. Of their entries about `entryBytesMax` stay in memory, the newest. */
export async function readSegments(
  disk: Disk,
  directory: DataDirectory,
  identity: Identity,
  entryBytesMax: number,
): Promise<readonly FoundSegment[]> {
  const numbers = (await listIfThere(disk, directory.wal)).flatMap((name) => segmentNumberOf(name) ?? []);
  const memory = new EntryMemory(entryBytesMax);
  const found: FoundSegment[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const segment = await readSegment(disk, directory, identity, number);
    found.push(segment);
    if ("scan" in segment) memory.add(segment.scan);
  }
  return found;
}

/** One segment. Throws `ERR_FORMAT_TOO_NEW` and `ERR_FOREIGN_FILE`. */
export async function readSegment(disk: Disk, directory: DataDirectory, identity: Identity, number: number): Promise<FoundSegment> {
  const path = directory.segment(number);
  let bytes: Uint8Array;
  try {
    const file = await disk.open(path, "read");
    try {
      bytes = await file.read(0, await file.sizeBytes());
    } finally {
      await file.close();
    }
  } catch (reason) {
    if (reason instanceof DiskError && reason.code === "io") return { number, path, problem: `can't be read: ${reason.message}` };
    throw reason;
  }
  return judgeSegment(bytes, { path, number }, identity);
}

/** The headers of all segments that have a sound one, the newest first. Throws nothing for those that have not. */
export async function readSegmentHeaders(disk: Disk, directory: DataDirectory): Promise<readonly SegmentHeader[]> {
  const headers: SegmentHeader[] = [];
  for (const name of (await listIfThere(disk, directory.wal)).toReversed()) {
    const number = segmentNumberOf(name);
    if (number === null) continue;
    try {
      const result = decodeSegmentHeader(await readSmallFile(disk, directory.segment(number), FRAMES_OFFSET), number);
      if (result.kind === "valid") headers.push(result.header);
    } catch (reason) {
      if (!(reason instanceof DiskError)) throw reason;
    }
  }
  return headers;
}

/** Decides what the bytes of a segment file are. Throws `ERR_FORMAT_TOO_NEW` and `ERR_FOREIGN_FILE`. */
export function judgeSegment(
  bytes: Uint8Array,
  place: { readonly path: string; readonly number: number },
  identity: Identity,
): FoundSegment {
  const { path, number } = place;
  const result = decodeSegmentHeader(bytes, number);
  if (result.kind === "unknown") {
    throw new LogStoreError(
      "ERR_FORMAT_TOO_NEW",
      `${path} has format version ${result.version}, which this version does not know: start a newer RaftKV`,
    );
  }
  if (result.kind === "damaged")
    return { number, path, problem: `has no valid header at offset 0 or ${PAGE_BYTES} in ${bytes.length} bytes` };
  const { header } = result;
  if (header.clusterId !== identity.clusterId || header.memberId !== identity.memberId || header.number !== number) {
    throw new LogStoreError(
      "ERR_FOREIGN_FILE",
      `${path} is segment ${header.number} of member ${hex16(header.memberId)} of cluster ${hex16(header.clusterId)}, expected segment ${number} of member ${hex16(identity.memberId)} of cluster ${hex16(identity.clusterId)}: take it out of the directory`,
    );
  }
  if (header.sizeBytes !== bytes.length) return { number, path, problem: `has ${bytes.length} bytes, expected ${header.sizeBytes}` };
  return { number, path, scan: scanSegment(path, bytes, header) };
}
