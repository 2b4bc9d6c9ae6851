import { type Configuration, type HardState, type LogEntry, type SnapshotMeta, votersOnly } from "@raftkv/raft-core";
import type { Clock, LogFields, Logger, LogStore, Random, RecoveredLog } from "@raftkv/raft-node";
import type { Identity } from "../format.ts";
import { type LogStoreOptions, openLogStore } from "../open-log-store.ts";
import { MemoryDisk } from "./memory-disk.ts";

export const testIdentity: Identity = { clusterId: 0xc1a5_7e12_0000_0001n, memberId: 0xfeed_0000_0000_0001n };
export const testDirectory = "/data";
export const threeVoters: Configuration = votersOnly([1, 2, 3]);
/** On the way from 1 and 3 to 1, 2 and 4, with 3 to become a learner as 5 is one. */
export const jointConfiguration: Configuration = {
  voters: [1, 2, 4],
  outgoing: [1, 3],
  learners: [5],
  learnersNext: [3],
  autoLeave: true,
};

/** A clock that stands still. */
export const stoppedClock: Clock = {
  monotonicMs: () => 0,
  wallMs: () => 1_700_000_000_000,
  setTimer: () => ({ cancel() {} }),
  atEndOfTurn: (wake) => queueMicrotask(wake),
};

/** mulberry32. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
}

/** Keeps the lines. */
export class LineLogger implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "debug", message, fields });
  }
  info(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "info", message, fields });
  }
  warn(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "warn", message, fields });
  }
  error(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: "error", message, fields });
  }

  at(level: string): readonly string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}

export interface OpenOptions extends Partial<Omit<LogStoreOptions, "disk">> {
  readonly seed?: number;
}

/** Opens a store with small segments, so that a few entries need several of them. */
export function openTestStore(disk: MemoryDisk, options: OpenOptions = {}): Promise<LogStore> {
  const { seed = 1, ...rest } = options;
  return openLogStore({
    disk,
    clock: stoppedClock,
    random: new SeededRandom(seed),
    logger: new LineLogger(),
    directory: testDirectory,
    identity: testIdentity,
    segmentBytes: 32 * 1024,
    firstSegmentBytes: 32 * 1024,
    ...rest,
  });
}

/** Bytes without a zero, so that a sector that was lost is told from one that was written. */
export function testBytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => 1 + ((seed * 31 + at * 7) % 255));
}

export function testEntry(index: number, term: number, length = 40): LogEntry {
  return { index, term, kind: "command", data: testBytes(length, index * 17 + term) };
}

export function testEntries(from: number, to: number, term: number, length = 40): readonly LogEntry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => testEntry(from + at, term, length));
}

export function hardState(term: number, vote = 0, commit = 0): HardState {
  return { term, vote, commit };
}

export function snapshotMeta(index: number, term: number): SnapshotMeta {
  return { index, term, configuration: threeVoters };
}

export async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** What a store recovered, and among its entries those that it would replay. */
export async function wholeRecovery({ recovered }: Pick<LogStore, "recovered">): Promise<RecoveredLog> {
  const { replay, hardState, snapshot } = recovered;
  if (replay === null) return recovered;
  const replayed: LogEntry[] = [];
  for await (const entries of replay.entries()) replayed.push(...entries);
  const [first, last] = [replayed[0], replayed.at(-1)];
  if (first?.index !== (snapshot?.index ?? 0) + 1)
    throw new Error(`The replay begins with ${first?.index}, the snapshot is ${snapshot?.index}`);
  if (last?.index !== replay.last.index || last.term !== replay.last.term) throw new Error(`The replay ends with ${last?.index}`);
  if (last.index > hardState.commit) throw new Error(`${last.index} is replayed, ${hardState.commit} is committed`);
  return { ...recovered, replay: null, entries: [...replayed, ...recovered.entries] };
}

/** All bytes of the snapshot in force, null if there is none. */
export async function readSnapshotBytes(store: LogStore): Promise<Uint8Array | null> {
  const reader = await store.readSnapshot();
  if (reader === null) return null;
  try {
    const parts: number[] = [];
    for await (const chunk of reader.chunks()) parts.push(...chunk);
    return Uint8Array.from(parts);
  } finally {
    await reader.close();
  }
}
