import { closeSync, constants, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";
import type { LatencyHistogram } from "../load/latency-histogram.ts";
import type { RandomBytes } from "./random-bytes.ts";

/** How a write is made durable: by a descriptor with O_DSYNC, or by an fdatasync after it. */
export type Durability = "O_DSYNC" | "fdatasync";

export interface RawTurn {
  readonly writes: number;
  readonly elapsedMs: number;
}

const fileBytes = 32 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

/**
 * A file whose bytes are there before it is measured, written from its start to its end and again: the least that a durable write can cost
 * on this disk. Calls block, so that no thread pool stands between.
 */
export class RawDevice {
  readonly #path: string;

  /** Makes the file. */
  constructor(path: string) {
    this.#path = path;
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const zeros = new Uint8Array(pieceBytes);
      for (let offset = 0; offset < fileBytes; offset += pieceBytes) writeSync(descriptor, zeros, 0, pieceBytes, offset);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Writes `bytes` at a time, in whole pages at most as long as the file. */
  measure(
    durability: Durability,
    bytes: number,
    source: { readonly random: RandomBytes; readonly latencies: LatencyHistogram; readonly durationMs: number },
  ): RawTurn {
    const flags = durability === "O_DSYNC" ? constants.O_WRONLY | constants.O_DSYNC : constants.O_WRONLY;
    const descriptor = openSync(this.#path, flags);
    try {
      const content = source.random.take(bytes);
      const startMs = performance.now();
      let writes = 0;
      let nowMs = startMs;
      for (let offset = 0; nowMs - startMs < source.durationMs; offset += bytes) {
        if (offset + bytes > fileBytes) offset = 0;
        const written = writeSync(descriptor, content, 0, bytes, offset);
        if (written !== bytes) throw new Error(`The disk took ${written} of ${bytes} bytes`);
        if (durability === "fdatasync") fdatasyncSync(descriptor);
        const endMs = performance.now();
        source.latencies.record(endMs - nowMs);
        nowMs = endMs;
        writes += 1;
      }
      return { writes, elapsedMs: nowMs - startMs };
    } finally {
      closeSync(descriptor);
    }
  }
}
