import type { DurableLog, DurableWrites, LogSystem } from "./durable-log.ts";
import { GroupCommit } from "./group-commit.ts";

type Level = import("classic-level").ClassicLevel<Uint8Array, Uint8Array>;

/** As RaftKV's own limit of a batch. */
const groupBytesMax = 4 * 1024 * 1024;
const keyBytes = 8;

/** LevelDB: keys that ascend as log indexes do, and groups that are written with `sync`. */
class LevelLog implements DurableLog {
  readonly #level: Level;
  readonly #group = new GroupCommit(groupBytesMax, (entries) => this.#write(entries));
  #lastIndex = 0;

  constructor(level: Level) {
    this.#level = level;
  }

  append(entry: Uint8Array): Promise<void> {
    return this.#group.append(entry);
  }

  writes(): DurableWrites {
    return this.#group.writes;
  }

  close(): Promise<void> {
    return this.#level.close();
  }

  #write(entries: readonly Uint8Array[]): Promise<void> {
    const puts = entries.map((value) => ({ type: "put" as const, key: this.#nextKey(), value }));
    return this.#level.batch(puts, { sync: true });
  }

  /** Big-endian, so that keys sort as their numbers do. */
  #nextKey(): Uint8Array {
    const key = new Uint8Array(keyBytes);
    this.#lastIndex += 1;
    new DataView(key.buffer).setBigUint64(0, BigInt(this.#lastIndex));
    return key;
  }
}

export const levelSystem: LogSystem = {
  name: "classic-level",
  async open(directory) {
    const { ClassicLevel } = await import("classic-level");
    const level: Level = new ClassicLevel(directory, { keyEncoding: "view", valueEncoding: "view", compression: false });
    await level.open();
    return new LevelLog(level);
  },
};
