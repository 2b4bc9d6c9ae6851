import { writeSync } from "node:fs";
import { type Identity, LogStoreError, openLogStore } from "@raftkv/log-store";
import { SeededRandom } from "@raftkv/raft-core/testing";
import type { Logger, LogStore } from "@raftkv/raft-node";
import { NodeClock } from "../ports/node-clock.ts";
import { NodeDisk } from "../ports/node-disk.ts";
import { NodeRandom } from "../ports/node-random.ts";
import { entriesOf, exitStorageFailed, type StorageLine, type StorageWork, snapshotChunksAt, snapshotMetaAt } from "./storage-work.ts";
import { WorkSource } from "./work-source.ts";

export interface StorageProgramOptions {
  readonly directory: string;
  readonly seed: number;
  /** Ends by itself after so many works. */
  readonly works: number;
}

const identity: Identity = { clusterId: 0xc1n, memberId: 0x3en };
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** Calls on the store that may be under way at once. */
const underWayMax = 4;
/** Longer than an idle store waits before it seals its log. */
const pauseMsMax = 40;
/** So many more are tried after the first failure: all must fail, too. */
const worksAfterFailure = 3;

/** Opens the store as a member does, on the disk of this machine, with segments so small that few entries fill one. */
export function openProgramStore(directory: string): Promise<LogStore> {
  return openLogStore({
    disk: new NodeDisk(),
    clock: new NodeClock(),
    random: new NodeRandom(),
    logger: silent,
    directory,
    identity,
    segmentBytes: 128 * 1024,
    firstSegmentBytes: 32 * 1024,
  });
}

/**
 * The body of a process that works on a data directory and tells of each call on the store, before it makes it and after it was
 * acknowledged, so that whoever kills it knows what must be there. Resolves with the exit status.
 */
export async function runStorageProgram({ directory, seed, works }: StorageProgramOptions): Promise<number> {
  try {
    const store = await openProgramStore(directory);
    tell({ kind: "opened" });
    const worker = new StorageWorker(store, new SeededRandom(seed));
    await worker.run(works);
    await store.close();
    return worker.failure === null ? 0 : failed(worker.failure);
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): number {
  writeSync(2, `storage program: ${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof LogStoreError ? exitStorageFailed : 1;
}

/** In one call of the system, so that it is out before anything else happens. */
function tell(line: StorageLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Has several calls under way at once, but saves, compacts and installs only what is durable. */
class StorageWorker {
  /** Why the log can't go on. */
  failure: LogStoreError | null = null;
  readonly #store: LogStore;
  readonly #random: SeededRandom;
  readonly #source: WorkSource;
  readonly #clock = new NodeClock();
  readonly #underWay = new Set<Promise<void>>();
  #number = 0;

  constructor(store: LogStore, random: SeededRandom) {
    this.#store = store;
    this.#random = random;
    this.#source = new WorkSource(random, store.recovered);
  }

  /** Works until the store fails or `works` were done. */
  async run(works: number): Promise<void> {
    for (let count = 0; count < works && this.failure === null; count++) {
      if (this.#random.oneIn(40)) await this.#pause();
      await this.#begin(this.#source.next());
    }
    await this.#ended(0);
    for (let count = 0; this.failure !== null && count < worksAfterFailure; count++) {
      await this.#begin(this.#source.next());
      await this.#ended(0);
    }
  }

  async #begin(work: StorageWork): Promise<void> {
    await this.#ended(work.kind === "append" ? this.#random.below(underWayMax) : 0);
    const number = ++this.#number;
    tell({ kind: "begun", number, work });
    const call = this.#call(work).then(
      () => {
        tell({ kind: "done", number });
        if (work.kind === "save" || work.kind === "install") this.#source.cameInForce(work.at);
      },
      (error: unknown) => this.#failed(number, work, error),
    );
    const underWay = call.finally(() => this.#underWay.delete(underWay));
    this.#underWay.add(underWay);
    // What follows goes on after the snapshot.
    if (work.kind === "install") await underWay;
  }

  async #call(work: StorageWork): Promise<void> {
    const store = this.#store;
    switch (work.kind) {
      case "append": {
        const { term, vote } = work;
        return store.append({ hardState: { term, vote, commit: 0 }, entries: entriesOf(work) });
      }
      case "save":
        return store.saveSnapshot(snapshotMetaAt(work.at), snapshotChunksAt(work.at));
      case "install":
        await store.receiveSnapshot(snapshotMetaAt(work.at), snapshotChunksAt(work.at));
        return store.installSnapshot(snapshotMetaAt(work.at), { term: work.at.term, vote: work.vote, commit: work.at.index });
      case "compact":
        return store.compact(work.index);
    }
  }

  /** A snapshot that found no space is missing, and that is all; anything else is the end of the log. */
  #failed(number: number, work: StorageWork, error: unknown): void {
    if (!(error instanceof LogStoreError)) throw error;
    tell({ kind: "failed", number, code: error.code, message: error.message });
    const isFinal = work.kind !== "save" || error.code !== "ERR_DISK_FULL";
    if (isFinal) this.failure ??= error;
  }

  /** Resolves when at most `count` calls are under way. */
  async #ended(count: number): Promise<void> {
    while (this.#underWay.size > count) await Promise.race(this.#underWay);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(this.#random.below(pauseMsMax), resolve));
  }
}
