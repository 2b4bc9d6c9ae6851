import { type LogStoreOptions, openLogStore } from "@raftkv/log-store";
import type { LogStore } from "@raftkv/raft-node";
import { nodePorts } from "@raftkv/server";
import type { DurableLog, DurableWrites } from "./durable-log.ts";

const identity: LogStoreOptions["identity"] = { clusterId: 1n, memberId: 1n };
const term = 1;

/** RaftKV's log store on the disk of this machine, as a member has it. */
export function openStore(directory: string): Promise<LogStore> {
  const { disk, clock, random, logger } = nodePorts({ logLevel: "error" });
  return openLogStore({ disk, clock, random, logger, directory, identity });
}

/** The log of a new store: each append is one entry. */
export class RaftKvLog implements DurableLog {
  readonly store: LogStore;
  #lastIndex = 0;
  #durableIndex = 0;

  private constructor(store: LogStore) {
    this.store = store;
  }

  static async open(directory: string): Promise<RaftKvLog> {
    const log = new RaftKvLog(await openStore(directory));
    await log.store.append({ hardState: { term, vote: 1, commit: 0 }, entries: [] });
    return log;
  }

  /** The last entry that is durable. */
  get durableIndex(): number {
    return this.#durableIndex;
  }

  async append(entry: Uint8Array): Promise<void> {
    this.#lastIndex += 1;
    const index = this.#lastIndex;
    await this.store.append({ hardState: null, entries: [{ index, term, kind: "command", data: entry }] });
    this.#durableIndex = index;
  }

  /** Saves a state of these bytes as of the entry at `index`, as a member does from time to time. */
  async saveSnapshot(index: number, state: AsyncIterable<Uint8Array>): Promise<void> {
    const configuration = { voters: [1], outgoing: [], learners: [], learnersNext: [], autoLeave: false };
    await this.store.saveSnapshot({ index, term, configuration }, state);
  }

  /** Everything that is durable counts as committed from now on. */
  async commit(): Promise<void> {
    await this.store.append({ hardState: { term, vote: 1, commit: this.#durableIndex }, entries: [] });
  }

  writes(): DurableWrites {
    const { batches, bytes } = this.store.metrics();
    return { count: batches, bytes };
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
