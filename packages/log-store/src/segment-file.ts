import type { DiskFile } from "@raftkv/raft-node";
import { FRAMES_OFFSET, PAGE_BYTES } from "./format.ts";
import { assert } from "./log-store-error.ts";

/** Zeros are written and synced in pieces, so that a batch that is written meanwhile waits for little. */
const ZERO_PIECE_BYTES = 1024 * 1024;
const zeroPiece = new Uint8Array(ZERO_PIECE_BYTES);

/**
 * The file of a segment.
 * ```
 * make: zeros, header, sync ──► append: durable writes into the zeros, page after page
 * ```
 * What `make` wrote is synced before there is a SegmentFile. So every append reports its own errors and no older ones, and it changes
 * nothing but content: neither the size nor a place on the disk.
 */
export class SegmentFile {
  /** Exact, and never changes. */
  readonly sizeBytes: number;
  readonly #file: DiskFile;
  #endOffset = FRAMES_OFFSET;

  private constructor(file: DiskFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /**
   * Makes an empty segment of a new file, which stays the caller's to close if this rejects. Zeros are real, because the first write
   * into a hole would cost a journal commit and could find the disk full.
   */
  static async make(file: DiskFile, header: Uint8Array, sizeBytes: number): Promise<SegmentFile> {
    assert(header.length <= FRAMES_OFFSET, "A segment's header ends where its frames begin");
    for (let offset = 0; offset < sizeBytes; offset += ZERO_PIECE_BYTES) {
      if (offset > 0) await file.sync();
      await file.write(offset, [zeroPiece.subarray(0, Math.min(ZERO_PIECE_BYTES, sizeBytes - offset))]);
    }
    await file.write(0, [header]);
    await file.sync();
    assert((await file.sizeBytes()) === sizeBytes, "A segment has its size before it comes into use");
    return new SegmentFile(file, sizeBytes);
  }

  /**
   * Resolves when the pages, in pieces of any size, are durable. They follow the ones before; the caller leaves them unchanged until then.
   */
  append(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    assert(offset === this.#endOffset, "A page of a segment is written once, after those before it");
    assert(sizeBytes > 0 && sizeBytes % PAGE_BYTES === 0, "A segment is written in whole pages");
    assert(offset + sizeBytes <= this.sizeBytes, "A batch stays within the zeros that were synced");
    this.#endOffset += sizeBytes;
    return this.#file.writeDurably(offset, chunks);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
