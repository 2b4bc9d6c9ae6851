import { writev } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { DiskError, type DiskFile } from "@raftkv/raft-node";
import { diskError, onDisk } from "./disk-error.ts";
import type { Reopen } from "./durable-handle.ts";

/** Buffers in one `writev` (IOV_MAX of Linux and macOS). */
const buffersPerCallMax = 1_024;

/**
 * An open file. The handles count the calls under way, and the file its writes, so that `close` waits for them and no descriptor is used
 * again too early.
 */
export class NodeFile implements DiskFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #reopen: Reopen;
  /** The descriptor of durable writes, once one was asked for; null if the file has none. */
  #durable: FileHandle | null | undefined;
  #reopening: Promise<FileHandle | null> | null = null;
  #closing: Promise<void> | null = null;
  #writesUnderWay = 0;
  /** Called when the last write has ended, if somebody waits for it. */
  #onLastWritten: (() => void) | null = null;

  constructor(handle: FileHandle, path: string, reopen: Reopen) {
    this.#handle = handle;
    this.#path = path;
    this.#reopen = reopen;
  }

  async sizeBytes(): Promise<number> {
    return (await onDisk("read the size of", this.#path, this.#handle.stat())).size;
  }

  async read(offset: number, length: number, memory?: Uint8Array): Promise<Uint8Array> {
    const bytes = memory === undefined || memory.length < length ? new Uint8Array(length) : memory.subarray(0, length);
    let filled = 0;
    while (filled < length) {
      const call = this.#handle.read(bytes, filled, length - filled, offset + filled);
      const { bytesRead } = await onDisk("read", this.#path, call);
      if (bytesRead === 0) return bytes.subarray(0, filled);
      filled += bytesRead;
    }
    return bytes;
  }

  write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    return this.#writeTo(this.#handle, offset, chunks);
  }

  async truncate(sizeBytes: number): Promise<void> {
    await onDisk("truncate", this.#path, this.#handle.truncate(sizeBytes));
  }

  async sync(): Promise<void> {
    await onDisk("sync", this.#path, this.#handle.datasync());
  }

  /** One `writev` to a descriptor with O_DSYNC, or `write` and `sync` where there is none. */
  async writeDurably(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    const durable = this.#durable === undefined ? await this.#openDurable() : this.#durable;
    if (durable !== null) return this.#writeTo(durable, offset, chunks);
    await this.write(offset, chunks);
    await this.sync();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #openDurable(): Promise<FileHandle | null> {
    if (this.#closing !== null) return Promise.reject(this.#closed());
    this.#reopening ??= onDisk("open", this.#path, this.#reopen(this.#handle, this.#path)).then((durable) => {
      this.#durable = durable;
      return durable;
    });
    return this.#reopening;
  }

  async #close(): Promise<void> {
    if (this.#writesUnderWay > 0) await new Promise<void>((resolve) => (this.#onLastWritten = resolve));
    // A descriptor that could not be opened need not be closed; the write that asked for it was told why.
    const durable = await this.#reopening?.catch(() => null);
    const closings = await Promise.allSettled([this.#handle.close(), durable?.close()]);
    for (const closing of closings) if (closing.status === "rejected") throw diskError(closing.reason, "close", this.#path);
  }

  async #writeTo(handle: FileHandle, offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#closing !== null) throw this.#closed();
    this.#writesUnderWay++;
    try {
      let position = offset;
      let left = chunks.filter((chunk) => chunk.length > 0);
      while (left.length > 0) {
        const bytesWritten = await this.#writeSome(handle, left.slice(0, buffersPerCallMax), position);
        if (bytesWritten === 0)
          throw new DiskError("io", this.#path, `Cannot write ${this.#path}: nothing was written at byte ${position}`);
        position += bytesWritten;
        left = withoutFirst(left, bytesWritten);
      }
    } finally {
      this.#writesUnderWay--;
      if (this.#writesUnderWay === 0) this.#onLastWritten?.();
    }
  }

  /** By the interface of callbacks: every write of the log passes here, and the promises of a handle take more of the processor. */
  #writeSome(handle: FileHandle, buffers: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      writev(handle.fd, buffers, position, (error, bytesWritten) => {
        if (error === null) resolve(bytesWritten);
        else reject(diskError(error, "write", this.#path));
      });
    });
  }

  #closed(): DiskError {
    return new DiskError("io", this.#path, `Cannot write ${this.#path}: it is closed`);
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
