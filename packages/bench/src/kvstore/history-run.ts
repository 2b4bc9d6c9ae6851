import { performance } from "node:perf_hooks";
import { KVStore } from "@raftkv/kvstore";
import { benchKeys, shuffled } from "./bench-keys.ts";
import type { KvstoreBenchOptions } from "./kvstore-options.ts";

export interface HistoryResult {
  /** What an older version takes beside its value. */
  readonly bytesPerOlderVersion: number;
  /** What a key with one version takes beside key and value. */
  readonly bytesPerKey: number;
  /** The longest calls, which no request gets by. */
  readonly snapshotChunkMs: number;
  readonly restoreChunkMs: number;
  readonly compactMs: number;
  readonly reclaimSliceMs: number;
  /** All of each. */
  readonly snapshotMs: number;
  readonly restoreMs: number;
  readonly reclaimMs: number;
}

/** Versions for one call of `reclaim`. */
const versionsPerSlice = 4096;

/** Writes every key three times, and measures what the history costs to keep, to copy and to give back. */
export function measureHistory(options: KvstoreBenchOptions): HistoryResult {
  const { keyCount, keyBytes, valueBytes } = options;
  const keys = benchKeys(keyCount, keyBytes);
  const store = new KVStore({ seed: 0x5eed });
  const value = new Uint8Array(valueBytes);
  const emptyBytes = store.usedBytes;
  for (const key of keys) store.set(key, value);
  const onceBytes = store.usedBytes - emptyBytes;
  for (const seed of [1, 2]) for (const key of shuffled(keys, seed)) store.set(key, value);
  const thriceBytes = store.usedBytes - emptyBytes;

  const chunks: Uint8Array[] = [];
  const snapshot = store.snapshot();
  const writing = inSlices(() => {
    const chunk = snapshot.nextChunk();
    if (chunk !== null) chunks.push(chunk);
    return chunk !== null;
  });
  snapshot.close();
  const restorer = new KVStore({ seed: 1 }).createRestorer();
  let place = 0;
  const restoring = inSlices(() => {
    const chunk = chunks[place++];
    if (chunk === undefined) restorer.finish();
    else restorer.push(chunk);
    return chunk !== undefined;
  });
  const compacting = inSlices(() => {
    store.compact(store.revision);
    return false;
  });
  const reclaiming = inSlices(() => store.reclaim(versionsPerSlice));
  return {
    bytesPerOlderVersion: (thriceBytes - onceBytes) / (2 * keyCount) - valueBytes,
    bytesPerKey: onceBytes / keyCount - keyBytes - valueBytes,
    snapshotChunkMs: writing.longestMs,
    restoreChunkMs: restoring.longestMs,
    compactMs: compacting.longestMs,
    reclaimSliceMs: reclaiming.longestMs,
    snapshotMs: writing.totalMs,
    restoreMs: restoring.totalMs,
    reclaimMs: reclaiming.totalMs,
  };
}

/** Calls `work` until it returns false. */
function inSlices(work: () => boolean): { readonly longestMs: number; readonly totalMs: number } {
  let longestMs = 0;
  let totalMs = 0;
  for (let goesOn = true; goesOn; ) {
    const begunMs = performance.now();
    goesOn = work();
    const sliceMs = performance.now() - begunMs;
    totalMs += sliceMs;
    longestMs = Math.max(longestMs, sliceMs);
  }
  return { longestMs, totalMs };
}
