import type { LogStoreMetrics } from "@raftkv/raft-node";

/** Upper bounds of the latency classes, as etcd has them for its log: doubled from 1 ms to about 8 s. */
const BOUNDS_MS: readonly number[] = Array.from({ length: 14 }, (_, power) => 2 ** power);

/** Counts the durable writes of a log in plain fields, because every one of them passes here. */
export class WriteMetrics {
  readonly #counts: number[] = BOUNDS_MS.map(() => 0).concat(0);
  #batches = 0;
  #entries = 0;
  #bytes = 0;
  #sumMs = 0;
  #startedMs: number | null = null;

  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }

  /** The write that was started last is durable, or failed and is not counted. */
  ended(nowMs: number, written: { readonly entries: number; readonly bytes: number } | null): void {
    const elapsedMs = nowMs - (this.#startedMs ?? nowMs);
    this.#startedMs = null;
    if (written === null) return;
    this.#batches += 1;
    this.#entries += written.entries;
    this.#bytes += written.bytes;
    this.#sumMs += elapsedMs;
    const found = BOUNDS_MS.findIndex((boundMs) => elapsedMs <= boundMs);
    const place = found < 0 ? BOUNDS_MS.length : found;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
  }

  read(nowMs: number): LogStoreMetrics {
    return {
      batches: this.#batches,
      entries: this.#entries,
      bytes: this.#bytes,
      writeMs: { boundsMs: BOUNDS_MS, counts: [...this.#counts], sumMs: this.#sumMs },
      writeAgeMs: this.#startedMs === null ? 0 : nowMs - this.#startedMs,
    };
  }
}
