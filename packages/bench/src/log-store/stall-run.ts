import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LatencyHistogram, type LatencySummary } from "../load/latency-histogram.ts";
import { appendUntil } from "./append-load.ts";
import { type EventLoopDelays, EventLoopWatch } from "./event-loop-watch.ts";
import { RaftKvLog } from "./raftkv-log.ts";
import type { RandomBytes } from "./random-bytes.ts";

export interface StallOptions {
  /** Does not exist yet; stays. */
  readonly directory: string;
  readonly random: RandomBytes;
  readonly snapshotBytes: number;
  /** How often each kind of work is done. */
  readonly rounds: number;
}

/** How appends went while something else was done with the store. */
export interface StallPhase {
  readonly name: string;
  readonly seconds: number;
  readonly appendsPerSecond: number;
  readonly latency: LatencySummary;
  readonly loop: EventLoopDelays;
  /** Snapshot bytes written or read meanwhile. */
  readonly snapshotBytes: number;
}

const entryBytes = 256;
const callers = 10;
const warmUpMs = 200;
const quietMs = 2000;

/** Appends all the time; meanwhile nothing, then snapshots that are saved, with the log compacted up to each, then snapshots that are read. */
export async function measureStalls(options: StallOptions, signal: AbortSignal): Promise<readonly StallPhase[]> {
  const { random, snapshotBytes, rounds } = options;
  const log = await RaftKvLog.open(join(options.directory, "store"));
  const during = async (name: string, bytes: number, work: () => Promise<void>): Promise<StallPhase> => {
    signal.throwIfAborted();
    return { name, snapshotBytes: bytes, ...(await appendDuring(log, random, work)) };
  };
  try {
    // Code is compiled here, so that the phases are alike.
    await appendDuring(log, random, () => pause(warmUpMs));
    await appendDuring(log, random, () => saveAndCompact(log, random.stream(snapshotBytes / 8)));
    return [
      await during("appends alone", 0, () => pause(quietMs)),
      await during("snapshots saved, log compacted", rounds * snapshotBytes, async () => {
        for (let round = 0; round < rounds; round++) await saveAndCompact(log, random.stream(snapshotBytes));
      }),
      await during("snapshots read", rounds * snapshotBytes, async () => {
        for (let round = 0; round < rounds; round++) await readSnapshot(log);
      }),
    ];
  } finally {
    await log.close();
  }
}

async function appendDuring(
  log: RaftKvLog,
  random: RandomBytes,
  work: () => Promise<void>,
): Promise<Pick<StallPhase, "seconds" | "appendsPerSecond" | "latency" | "loop">> {
  const latencies = new LatencyHistogram();
  const watch = new EventLoopWatch();
  let isOver = false;
  const working = work().finally(() => {
    isOver = true;
  });
  const [{ appends, elapsedMs }] = await Promise.all([appendUntil(log, { entryBytes, callers, random, latencies }, () => isOver), working]);
  const loop = watch.stop();
  return { seconds: elapsedMs / 1000, appendsPerSecond: (1000 * appends) / elapsedMs, latency: latencies.summary(), loop };
}

async function saveAndCompact(log: RaftKvLog, state: AsyncIterable<Uint8Array>): Promise<void> {
  const index = log.durableIndex;
  await log.saveSnapshot(index, state);
  await log.store.compact(index);
}

/** As a leader does that sends it, without the network. */
async function readSnapshot(log: RaftKvLog): Promise<void> {
  const reader = await log.store.readSnapshot();
  if (reader === null) throw new Error("There is no snapshot to read");
  try {
    let bytes = 0;
    for await (const chunk of reader.chunks()) bytes += chunk.length;
    if (bytes !== reader.sizeBytes) throw new Error(`The snapshot gave ${bytes} of ${reader.sizeBytes} bytes`);
  } finally {
    await reader.close();
  }
}
