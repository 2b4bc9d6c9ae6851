import { fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LatencyHistogram } from "../load/latency-histogram.ts";
import { appendUntil } from "./append-load.ts";
import { RaftKvLog } from "./raftkv-log.ts";
import type { RandomBytes } from "./random-bytes.ts";

export interface RecoveryOptions {
  /** Does not exist yet; stays. */
  readonly directory: string;
  readonly random: RandomBytes;
  /** Entries after the snapshot. */
  readonly logBytes: number;
  readonly snapshotBytes: number;
}

/** What a process of its own says that opened the store. */
export interface RecoveryReport {
  /** Behind the snapshot. */
  readonly entries: number;
  readonly openMs: number;
  readonly readSnapshotMs: number;
  /** Of what is read from the log once more, because opening did not keep it. */
  readonly replayMs: number;
  readonly snapshotBytes: number;
  /** Resident memory before the store is opened, and the most there ever was. */
  readonly idleRssBytes: number;
  readonly peakRssBytes: number;
}

export interface RecoveryResult extends RecoveryReport {
  readonly logBytes: number;
}

const entryBytes = 4096;
const callers = 100;

/** Fills a store, closes it, and lets another process open it; its files are still in the page cache. Rejects if anything is missing. */
export async function measureRecovery(options: RecoveryOptions, signal: AbortSignal): Promise<RecoveryResult> {
  const directory = join(options.directory, "store");
  const entries = await fill(directory, options, signal);
  const report = await openElsewhere(directory, signal);
  if (report.entries !== entries) throw new Error(`Of ${entries} entries ${report.entries} were found`);
  if (report.snapshotBytes !== options.snapshotBytes) throw new Error(`The snapshot gave ${report.snapshotBytes} bytes`);
  return { ...report, logBytes: entries * entryBytes };
}

/** The snapshot is as of the first entry, so that all of the log but that comes after it. Resolves to the number of entries. */
async function fill(directory: string, { random, logBytes, snapshotBytes }: RecoveryOptions, signal: AbortSignal): Promise<number> {
  const log = await RaftKvLog.open(directory);
  try {
    const load = { entryBytes, callers, random, latencies: new LatencyHistogram() };
    await appendUntil(log, load, () => signal.aborted || log.durableIndex * entryBytes >= logBytes);
    signal.throwIfAborted();
    await log.commit();
    await log.saveSnapshot(1, random.stream(snapshotBytes));
    return log.durableIndex - 1;
  } finally {
    await log.close();
  }
}

/** The build of `recovery-main.ts`, beside the one of this file. */
const program = fileURLToPath(new URL("./recovery-main.js", import.meta.url));

function openElsewhere(directory: string, signal: AbortSignal): Promise<RecoveryReport> {
  return new Promise((resolve, reject) => {
    const child = fork(program, [directory], { signal, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    child.once("message", (message) => resolve(message as RecoveryReport));
    child.once("error", reject);
    child.once("exit", (status) => reject(new Error(`The process that opens the store ended with status ${String(status)}`)));
  });
}
