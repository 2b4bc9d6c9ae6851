import type { LogEntry } from "@raftkv/raft-core";
import type { LogStore } from "@raftkv/raft-node";
import type { Identity } from "../format.ts";
import { chunksOf, hardState, openTestStore, snapshotMeta, testBytes, testEntries, testIdentity } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import type { Acknowledged } from "./acknowledged.ts";
import { smallSegments } from "./verdict.ts";

/** A data directory as a member left it, and what the member had promised. */
export interface SampleDirectory {
  readonly disk: MemoryDisk;
  readonly acknowledged: Acknowledged;
  /** The same directory at earlier moments, oldest first. */
  readonly earlier: readonly MemoryDisk[];
}

export interface SampleOptions {
  /** How the last life ended: `closed` in order, with its last batch sealed, or `killed` right after it. */
  readonly end: "closed" | "killed";
  /**
   * `whole`: the log begins at its first entry. `compacted`: what the older one of two snapshots covers is gone. `installed`: the log
   * begins after a snapshot that a leader sent, the only one there is.
   */
  readonly log: "whole" | "compacted" | "installed";
  /** What entries hold: no zero byte, or only zeros, which read like sectors that never were written. */
  readonly data?: "dense" | "zeros";
  /** Whose directory it is. */
  readonly identity?: Identity;
  /** What the random numbers of the first life come from; those of the second follow. */
  readonly firstSeed?: number;
}

const STATE_BYTES = 17 * 1024;

/** The life of a member, told to its store. */
class SampleMember {
  readonly disk = new MemoryDisk();
  readonly earlier: MemoryDisk[] = [];
  readonly snapshots = new Map<number, Uint8Array>();
  readonly replaced: LogEntry[] = [];
  entries: readonly LogEntry[] = [];
  readonly #identity: Identity;
  #seed: number;
  #store: Promise<LogStore>;

  constructor(identity: Identity, firstSeed: number) {
    this.#identity = identity;
    this.#seed = firstSeed;
    this.#store = this.#open();
  }

  #open(): Promise<LogStore> {
    const seed = this.#seed++;
    return openTestStore(this.disk, { ...smallSegments, seed, identity: this.#identity });
  }

  async append(term: number, added: readonly LogEntry[]): Promise<void> {
    const first = added[0]?.index ?? Infinity;
    this.replaced.push(...this.entries.filter(({ index }) => index >= first));
    this.entries = [...this.entries.filter(({ index }) => index < first), ...added];
    await (await this.#store).append({ hardState: hardState(term, 2), entries: added });
    this.earlier.push(this.disk.afterKill());
  }

  async save(index: number, term: number): Promise<void> {
    await (await this.#store).saveSnapshot(snapshotMeta(index, term), chunksOf(this.#makeState(index)));
    this.earlier.push(this.disk.afterKill());
  }

  /** `covered` is what the snapshot stands for and the member never saw. */
  async install(index: number, term: number, covered: readonly LogEntry[]): Promise<void> {
    const store = await this.#store;
    this.entries = covered;
    await store.receiveSnapshot(snapshotMeta(index, term), chunksOf(this.#makeState(index)));
    await store.installSnapshot(snapshotMeta(index, term), hardState(term, 2));
  }

  #makeState(index: number): Uint8Array {
    const state = testBytes(STATE_BYTES, index);
    this.snapshots.set(index, state);
    return state;
  }

  async compact(index: number): Promise<void> {
    await (await this.#store).compact(index);
  }

  async close(): Promise<void> {
    await (await this.#store).close();
  }

  async restart(): Promise<void> {
    await this.close();
    this.#store = this.#open();
    await this.#store;
  }
}

/**
 * Two lives of a member with more than 16 KiB of entries in several segments: batches of one page and of two, a tail that was replaced,
 * rotations, two snapshots of more than 16 KiB, a segment that was prepared and not used.
 */
export async function makeSampleDirectory(options: SampleOptions): Promise<SampleDirectory> {
  const { end, log, data = "dense", identity = testIdentity, firstSeed = 1 } = options;
  const member = new SampleMember(identity, firstSeed);
  const make = (from: number, to: number, term: number, length: number): readonly LogEntry[] =>
    testEntries(from, to, term, length).map((entry) => (data === "zeros" ? { ...entry, data: new Uint8Array(length) } : entry));
  if (log === "installed") await member.install(6, 1, make(1, 6, 1, 600));
  await member.append(1, make(log === "installed" ? 7 : 1, 9, 1, 600));
  await member.append(2, make(8, 12, 2, 500));
  if (log !== "installed") await member.save(4, 1);
  await member.append(2, make(13, 18, 2, 600));
  if (log !== "installed") await member.save(8, 2);
  if (log === "compacted") await member.compact(8);
  await member.restart();
  await member.append(3, make(19, 21, 3, 900));
  await member.append(3, make(22, 22, 3, 40));
  const provenIndex = member.entries.length;
  await member.append(3, make(23, 27, 3, 650));
  const killed = member.disk.afterKill();
  await member.close();
  const { entries, replaced, snapshots, earlier } = member;
  return {
    disk: end === "killed" ? killed : member.disk.afterKill(),
    acknowledged: {
      term: 3,
      vote: 2,
      entries: new Map(entries.map((entry) => [entry.index, entry])),
      replaced,
      provenIndex: end === "killed" ? provenIndex : entries.length,
      snapshots,
    },
    earlier,
  };
}
