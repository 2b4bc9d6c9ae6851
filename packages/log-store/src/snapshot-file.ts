import { createHash, type Hash } from "node:crypto";
import type { SnapshotMeta } from "@raftkv/raft-core";
import type { Disk, DiskFile } from "@raftkv/raft-node";
import { crc32c } from "./crc32c.ts";
import { isZero, roundUp } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import {
  CHUNK_BYTES,
  CHUNK_HEADER_BYTES,
  decodeChunkHeader,
  decodeFooter,
  decodeSnapshotHeader,
  encodeChunkHeader,
  encodeFooter,
  encodeSnapshotHeader,
  FOOTER_BYTES,
  SNAPSHOT_HEADER_BYTES,
  type SnapshotFooter,
  type SnapshotHeader,
} from "./snapshot-codec.ts";

/**
 * What may wait for the disk before it is synced: appends go to the same disk and stand behind it. After 256 MiB they waited for up to
 * 200 ms, after 4 MiB for 50, after 1 MiB for some.
 */
const UNSYNCED_BYTES_MAX = 1024 * 1024;

/** A snapshot file that is complete. */
export interface SnapshotFile {
  readonly path: string;
  readonly meta: SnapshotMeta;
  readonly fileBytes: number;
  /** Bytes of state. */
  readonly payloadBytes: number;
  readonly sha256: Uint8Array;
}

/** Writes a new file, syncs it, and reads it back. The caller renames it. Chunks of any size come in; whole chunks go to the disk. */
export async function writeSnapshotFile(
  disk: Disk,
  path: string,
  header: SnapshotHeader,
  source: AsyncIterable<Uint8Array>,
): Promise<SnapshotFile> {
  const file = await disk.open(path, "create");
  try {
    const writer = new ChunkWriter(file);
    await writer.writeHeader(header);
    for await (const bytes of source) await writer.write(bytes);
    await writer.finish();
    await file.sync();
  } finally {
    await file.close();
  }
  // Every byte stands under a checksum; the SHA-256 of what was written is known.
  return readWhole(disk, path, null);
}

class ChunkWriter {
  readonly #file: DiskFile;
  readonly #hash = createHash("sha256");
  readonly #chunk = new Uint8Array(CHUNK_HEADER_BYTES + CHUNK_BYTES);
  #filled = 0;
  #offset = 0;
  #syncedOffset = 0;
  #chunks = 0;
  #previousCrc = 0;
  #payloadBytes = 0;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  async writeHeader(header: SnapshotHeader): Promise<void> {
    await this.#put(encodeSnapshotHeader(header));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(bytes.length - at, CHUNK_BYTES - this.#filled);
      this.#chunk.set(bytes.subarray(at, at + count), CHUNK_HEADER_BYTES + this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === CHUNK_BYTES) await this.#flush();
    }
  }

  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    const footer: SnapshotFooter = {
      chunks: this.#chunks,
      payloadBytes: this.#payloadBytes,
      fileBytes: this.#offset + FOOTER_BYTES,
      sha256: this.#hash.digest(),
    };
    await this.#file.write(this.#offset, [encodeFooter(footer)]);
  }

  async #flush(): Promise<void> {
    const end = CHUNK_HEADER_BYTES + roundUp(this.#filled, 8);
    this.#chunk.fill(0, CHUNK_HEADER_BYTES + this.#filled, end);
    const place = { number: this.#chunks, offset: this.#offset, previousCrc: this.#previousCrc };
    this.#previousCrc = encodeChunkHeader(this.#chunk, this.#filled, place);
    this.#chunks += 1;
    this.#payloadBytes += this.#filled;
    this.#filled = 0;
    await this.#put(this.#chunk.subarray(0, end));
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#file.write(this.#offset, [bytes]);
    this.#offset += bytes.length;
    if (this.#offset - this.#syncedOffset < UNSYNCED_BYTES_MAX) return;
    await this.#file.sync();
    this.#syncedOffset = this.#offset;
  }
}

/** Reads a whole file and checks every byte of it. Throws `ERR_DATA_DAMAGED`, `ERR_FORMAT_TOO_NEW`. */
export function verifySnapshotFile(disk: Disk, path: string): Promise<SnapshotFile & SnapshotHeader> {
  return readWhole(disk, path, createHash("sha256"));
}

/** `hash`: of what must match the footer, too; null without. */
async function readWhole(disk: Disk, path: string, hash: Hash | null): Promise<SnapshotFile & SnapshotHeader> {
  const file = await disk.open(path, "read");
  try {
    const { header, footer } = await readEnds(file, path);
    hash?.update(await file.read(0, SNAPSHOT_HEADER_BYTES));
    const memory = new Uint8Array(CHUNK_HEADER_BYTES + CHUNK_BYTES);
    for await (const { bytes } of readChunks(file, path, footer, memory)) hash?.update(bytes);
    if (hash !== null && !hash.digest().equals(footer.sha256)) throw damaged(path, 0, "the SHA-256 of the file does not match its footer");
    const { fileBytes, payloadBytes, sha256 } = footer;
    return { ...header, path, fileBytes, payloadBytes, sha256 };
  } finally {
    await file.close();
  }
}

async function readEnds(file: DiskFile, path: string): Promise<{ readonly header: SnapshotHeader; readonly footer: SnapshotFooter }> {
  const sizeBytes = await file.sizeBytes();
  const result = decodeSnapshotHeader(await file.read(0, SNAPSHOT_HEADER_BYTES));
  if (result.kind === "damaged") throw damaged(path, 0, "the header's checksum does not match");
  if (result.kind === "unknown") {
    throw new LogStoreError("ERR_FORMAT_TOO_NEW", `${path} has ${result.what}, which this version does not know: start a newer RaftKV`);
  }
  if (sizeBytes < SNAPSHOT_HEADER_BYTES + FOOTER_BYTES) throw damaged(path, 0, `the file has only ${sizeBytes} bytes`);
  const footer = decodeFooter(await file.read(sizeBytes - FOOTER_BYTES, FOOTER_BYTES));
  if (footer === null) throw damaged(path, sizeBytes - FOOTER_BYTES, "the footer's checksum does not match");
  if (footer.fileBytes !== sizeBytes) throw damaged(path, sizeBytes, `the file has ${sizeBytes} bytes, expected ${footer.fileBytes}`);
  return { header: result.header, footer };
}

interface ReadChunk {
  /** Header, payload and padding. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
}

/** All chunks in order, each checked: number, place, checksums and the chain. With `memory` one is gone when the next is asked for. */
async function* readChunks(file: DiskFile, path: string, footer: SnapshotFooter, memory?: Uint8Array): AsyncGenerator<ReadChunk> {
  const end = footer.fileBytes - FOOTER_BYTES;
  let offset = SNAPSHOT_HEADER_BYTES;
  let number = 0;
  let previousCrc = 0;
  let payloadBytes = 0;
  while (offset < end) {
    const bytes = await file.read(offset, Math.min(CHUNK_HEADER_BYTES + CHUNK_BYTES, end - offset), memory);
    const header = decodeChunkHeader(bytes, { number, offset, previousCrc });
    if (header === null) throw damaged(path, offset, `the header of chunk ${number} does not match`);
    const length = CHUNK_HEADER_BYTES + roundUp(header.payloadBytes, 8);
    const payload = bytes.subarray(CHUNK_HEADER_BYTES, CHUNK_HEADER_BYTES + header.payloadBytes);
    const whole = length <= bytes.length && isZero(bytes, CHUNK_HEADER_BYTES + header.payloadBytes, length);
    if (!whole || crc32c(payload) !== header.payloadCrc) throw damaged(path, offset, `the payload of chunk ${number} does not match`);
    yield { bytes: bytes.subarray(0, length), payload };
    offset += length;
    number += 1;
    previousCrc = header.crc;
    payloadBytes += header.payloadBytes;
  }
  if (number !== footer.chunks || payloadBytes !== footer.payloadBytes) {
    throw damaged(path, end, `found ${number} chunks with ${payloadBytes} bytes, expected ${footer.chunks} with ${footer.payloadBytes}`);
  }
}

/** The state in an open snapshot file. Throws `ERR_DATA_DAMAGED` where a checksum does not match. */
export async function* readState(file: DiskFile, path: string): AsyncGenerator<Uint8Array> {
  const { footer } = await readEnds(file, path);
  for await (const { payload } of readChunks(file, path, footer)) yield payload;
}

function damaged(path: string, offset: number, what: string): LogStoreError {
  return new LogStoreError("ERR_DATA_DAMAGED", `Snapshot ${path} is damaged at offset ${offset}: ${what}`);
}
