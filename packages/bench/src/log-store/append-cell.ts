import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LatencyHistogram, type LatencySummary } from "../load/latency-histogram.ts";
import { median, pairedRatios, type Spread } from "../statistics.ts";
import { type AppendLoad, after, appendUntil } from "./append-load.ts";
import type { DurableLog, DurableWrites, LogSystem } from "./durable-log.ts";
import { RaftKvLog } from "./raftkv-log.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { type Durability, RawDevice } from "./raw-device.ts";

/** Entries of one size from a number of callers at once. */
export interface AppendShape {
  readonly entryBytes: number;
  readonly callers: number;
}

export interface AppendCellOptions extends AppendShape {
  readonly rounds: number;
  /** Of one system in one round. */
  readonly turnMs: number;
  /** Where the data go; each cell leaves it empty. */
  readonly directory: string;
  readonly random: RandomBytes;
  /** What RaftKV's log is compared with. */
  readonly others: readonly LogSystem[];
}

/** How RaftKV's log or another one took the entries. */
export interface LogResult {
  readonly name: string;
  readonly entriesPerSecond: number;
  /** Null if the system does not count its writes. */
  readonly writesPerSecond: number | null;
  readonly latency: LatencySummary;
  /** Of RaftKV's rate to this one's. */
  readonly ratio: Spread;
}

/** How the bare disk took writes of the size of RaftKV's batches. */
export interface RawResult {
  readonly durability: Durability;
  readonly writesPerSecond: number;
  readonly latency: LatencySummary;
  /** Of RaftKV's durable writes to those. */
  readonly ratio: Spread;
}

export interface AppendResult extends AppendShape {
  /** Mean size of RaftKV's durable writes, whole pages. */
  readonly writeBytes: number;
  readonly raftkv: LogResult;
  readonly raw: readonly RawResult[];
  readonly others: readonly LogResult[];
}

const durabilities: readonly Durability[] = ["O_DSYNC", "fdatasync"];
const pageBytes = 4096;
const warmUpMs = 100;

/** RaftKV's log, the bare disk and the other logs take turns, so that a slow moment of the machine hits all. */
export async function measureAppends(options: AppendCellOptions, signal: AbortSignal): Promise<AppendResult> {
  const { directory, random, others, rounds, turnMs } = options;
  const raftkv = new LogSubject("raftkv", await RaftKvLog.open(join(directory, "raftkv")), options);
  const subjects = [raftkv];
  try {
    for (const system of others) subjects.push(new LogSubject(system.name, await system.open(join(directory, system.name)), options));
    const device = new RawDevice(join(directory, "raw"));
    const raw = durabilities.map((durability) => ({ durability, rates: new Array<number>(), latencies: new LatencyHistogram() }));
    for (const subject of subjects) await subject.warmUp();
    for (let round = 0; round < rounds; round++) {
      await raftkv.turn();
      for (const { durability, rates, latencies } of raw) {
        const { writes, elapsedMs } = device.measure(durability, raftkv.writeBytes, { random, latencies, durationMs: turnMs });
        rates.push((1000 * writes) / elapsedMs);
      }
      for (const subject of subjects.slice(1)) await subject.turn();
      signal.throwIfAborted();
    }
    return {
      entryBytes: options.entryBytes,
      callers: options.callers,
      writeBytes: raftkv.writeBytes,
      raftkv: raftkv.result(raftkv),
      raw: raw.map(({ durability, rates, latencies }) => ({
        durability,
        writesPerSecond: median(rates),
        latency: latencies.summary(),
        ratio: pairedRatios(raftkv.writeRates, rates),
      })),
      others: subjects.slice(1).map((subject) => subject.result(raftkv)),
    };
  } finally {
    for (const subject of subjects) await subject.log.close();
    for (const name of [...subjects.map((subject) => subject.name), "raw"])
      await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** A log under load, and what its turns have shown so far. */
class LogSubject {
  readonly name: string;
  readonly log: DurableLog;
  readonly rates: number[] = [];
  readonly writeRates: number[] = [];
  readonly #options: AppendCellOptions;
  readonly #latencies = new LatencyHistogram();
  #writeBytes = 0;

  constructor(name: string, log: DurableLog, options: AppendCellOptions) {
    this.name = name;
    this.log = log;
    this.#options = options;
  }

  /** Mean size of a durable write in the last turn, in whole pages. */
  get writeBytes(): number {
    return this.#writeBytes;
  }

  /** Code is compiled, first files are made; does not count. */
  async warmUp(): Promise<void> {
    await appendUntil(this.log, this.#load(new LatencyHistogram()), after(warmUpMs));
  }

  async turn(): Promise<void> {
    const before = this.log.writes();
    const { appends, elapsedMs } = await appendUntil(this.log, this.#load(this.#latencies), after(this.#options.turnMs));
    this.rates.push((1000 * appends) / elapsedMs);
    const writes = difference(this.log.writes(), before);
    if (writes === null) return;
    this.writeRates.push((1000 * writes.count) / elapsedMs);
    this.#writeBytes = pageBytes * Math.ceil(writes.bytes / Math.max(writes.count, 1) / pageBytes);
  }

  result(raftkv: LogSubject): LogResult {
    return {
      name: this.name,
      entriesPerSecond: median(this.rates),
      writesPerSecond: this.writeRates.length === 0 ? null : median(this.writeRates),
      latency: this.#latencies.summary(),
      ratio: pairedRatios(raftkv.rates, this.rates),
    };
  }

  #load(latencies: LatencyHistogram): AppendLoad {
    const { entryBytes, callers, random } = this.#options;
    return { entryBytes, callers, random, latencies };
  }
}

function difference(writes: DurableWrites | null, before: DurableWrites | null): DurableWrites | null {
  if (writes === null || before === null) return null;
  return { count: writes.count - before.count, bytes: writes.bytes - before.bytes };
}
