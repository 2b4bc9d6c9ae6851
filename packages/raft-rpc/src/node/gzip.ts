import { createGunzip, gzip as deflate } from "node:zlib";
import type { CompressionJob, Compressor, Inflated } from "../grpc/compressor.ts";

/**
 * Messages in work at a time, of all connections that use this compressor. They share the few threads in which files are read and synced
 * too, so most of those stay free; and what is being inflated is at most this many messages.
 */
const jobsMax = 2;
/** Speed before size: between members of a cluster the network is near. */
const level = 1;
/** Header and trailer of the format (RFC 1952 2.3). */
const gzipBytesMin = 18;
const chunkBytes = 64 * 1024;

/** Something that waits for a thread. */
class GzipJob implements CompressionJob {
  readonly start: (job: GzipJob) => void;
  isCancelled = false;

  constructor(start: (job: GzipJob) => void) {
    this.start = start;
  }

  cancel(): void {
    this.isCancelled = true;
  }
}

/** gzip (RFC 1952) of node:zlib, in its thread pool. */
class Gzip implements Compressor {
  readonly encoding = "gzip";
  readonly #waiting = new Set<GzipJob>();
  #running = 0;

  compress(message: Uint8Array, done: (compressed: Uint8Array | null) => void): CompressionJob {
    return this.#enqueue((job) => {
      deflate(message, { level }, (error, compressed) => {
        this.#ended();
        if (!job.isCancelled) done(error === null ? plainView(compressed) : null);
      });
    });
  }

  inflate(compressed: Uint8Array, bytesMax: number, done: (result: Inflated) => void): CompressionJob {
    return this.#enqueue((job) => {
      inflateMessage(compressed, bytesMax, (result) => {
        this.#ended();
        if (!job.isCancelled) done(result);
      });
    });
  }

  /** Begins in a later turn at the earliest: `done` is never called from within. */
  #enqueue(start: (job: GzipJob) => void): GzipJob {
    const job = new GzipJob(start);
    this.#waiting.add(job);
    queueMicrotask(() => this.#startWaiting());
    return job;
  }

  #startWaiting(): void {
    for (const job of this.#waiting) {
      if (this.#running >= jobsMax) return;
      this.#waiting.delete(job);
      if (job.isCancelled) continue;
      this.#running++;
      job.start(job);
    }
  }

  #ended(): void {
    this.#running--;
    this.#startWaiting();
  }
}

/** For the `compression` option of RpcServer and Channel: one for the process. */
export const gzip: Compressor = new Gzip();

function inflateMessage(compressed: Uint8Array, bytesMax: number, done: (result: Inflated) => void): void {
  if (compressed.length < gzipBytesMin) {
    done({ kind: "broken", reason: `${compressed.length} bytes are too few for gzip` });
    return;
  }
  const engine = createGunzip({ chunkSize: chunkBytes });
  const pieces: Uint8Array[] = [];
  let byteCount = 0;
  let isOver = false;
  const end = (result: Inflated): void => {
    if (isOver) return;
    isOver = true;
    engine.destroy();
    done(result);
  };
  engine.on("data", (piece: Buffer) => {
    byteCount += piece.length;
    pieces.push(piece);
    if (byteCount > bytesMax) end({ kind: "tooLarge" });
  });
  engine.on("error", (error) => end({ kind: "broken", reason: error.message }));
  engine.on("end", () => {
    const restBytes = compressed.length - engine.bytesWritten;
    if (restBytes > 0) end({ kind: "broken", reason: `${restBytes} bytes follow the end of the gzip data` });
    else end({ kind: "message", message: joined(pieces, byteCount) });
  });
  engine.end(compressed);
}

function joined(pieces: readonly Uint8Array[], byteCount: number): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return plainView(only);
  const message = new Uint8Array(byteCount);
  let at = 0;
  for (const piece of pieces) {
    message.set(piece, at);
    at += piece.length;
  }
  return message;
}

/** Not a Buffer, of which views are dearer. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
