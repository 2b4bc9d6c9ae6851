import type { DurableLog, LogSystem } from "./durable-log.ts";

type Database = import("lmdb").RootDatabase<Uint8Array, number>;

/** LMDB: keys that ascend as log indexes do. It gathers puts into transactions by itself. */
class LmdbLog implements DurableLog {
  readonly #database: Database;
  #lastIndex = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async append(entry: Uint8Array): Promise<void> {
    this.#lastIndex += 1;
    if (!(await this.#database.put(this.#lastIndex, entry))) throw new Error("LMDB did not take an entry");
  }

  writes(): null {
    return null;
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

export const lmdbSystem: LogSystem = {
  name: "lmdb",
  async open(directory) {
    const { open } = await import("lmdb");
    // Without overlapping, a put resolves only after the transaction was synced.
    return new LmdbLog(open({ path: directory, encoding: "binary", keyEncoding: "uint32", overlappingSync: false }));
  },
};
