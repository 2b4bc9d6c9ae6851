import type { FileHandle } from "node:fs/promises";
import { DiskError, type DiskFile } from "@raftkv/raft-node";
import { onDisk } from "./disk-error.ts";

/** Buffers in one `writev` (IOV_MAX of Linux and macOS). */
const buffersPerCallMax = 1_024;

/** An open file. The handle counts the calls under way, so that `close` waits for them and no descriptor is used again too early. */
export class NodeFile implements DiskFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  #closing: Promise<void> | null = null;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  async sizeBytes(): Promise<number> {
    return (await onDisk("read the size of", this.#path, this.#handle.stat())).size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const call = this.#handle.read(bytes, filled, length - filled, offset + filled);
      const { bytesRead } = await onDisk("read", this.#path, call);
      if (bytesRead === 0) return bytes.subarray(0, filled);
      filled += bytesRead;
    }
    return bytes;
  }

  async write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    let position = offset;
    let left = chunks.filter((chunk) => chunk.length > 0);
    while (left.length > 0) {
      const call = this.#handle.writev(left.slice(0, buffersPerCallMax), position);
      const { bytesWritten } = await onDisk("write", this.#path, call);
      if (bytesWritten === 0) throw new DiskError("io", this.#path, `Cannot write ${this.#path}: nothing was written at byte ${position}`);
      position += bytesWritten;
      left = withoutFirst(left, bytesWritten);
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    await onDisk("truncate", this.#path, this.#handle.truncate(sizeBytes));
  }

  async sync(): Promise<void> {
    await onDisk("sync", this.#path, this.#handle.datasync());
  }

  close(): Promise<void> {
    this.#closing ??= onDisk("close", this.#path, this.#handle.close());
    return this.#closing;
  }
}

/** What a short write has left over. */
function withoutFirst(chunks: readonly Uint8Array[], countBytes: number): Uint8Array[] {
  let skip = countBytes;
  let index = 0;
  for (const chunk of chunks) {
    if (skip < chunk.length) break;
    skip -= chunk.length;
    index++;
  }
  const [first, ...rest] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(skip), ...rest];
}
