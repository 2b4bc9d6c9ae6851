import type { DurableWrites } from "./durable-log.ts";

interface Waiting {
  readonly entry: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Writes entries durably, one group at a time: what waits for the write under way makes the next group, as RaftKV's log does it. */
export class GroupCommit {
  readonly #write: (entries: readonly Uint8Array[]) => Promise<void>;
  readonly #groupBytesMax: number;
  #waiting: Waiting[] = [];
  #isRunning = false;
  #count = 0;
  #bytes = 0;

  /** `groupBytesMax`: a group is full beyond it; a larger entry makes a group of its own. */
  constructor(groupBytesMax: number, write: (entries: readonly Uint8Array[]) => Promise<void>) {
    this.#groupBytesMax = groupBytesMax;
    this.#write = write;
  }

  /** What was written, without what a system stores around it. */
  get writes(): DurableWrites {
    return { count: this.#count, bytes: this.#bytes };
  }

  append(entry: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group.map(({ entry }) => entry));
        for (const { resolve } of group) resolve();
      } catch (reason) {
        for (const { reject } of group) reject(reason);
      }
    }
    this.#isRunning = false;
  }

  #takeGroup(): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const { entry } of this.#waiting) {
      if (count > 0 && bytes + entry.length > this.#groupBytesMax) break;
      count += 1;
      bytes += entry.length;
    }
    this.#count += 1;
    this.#bytes += bytes;
    return this.#waiting.splice(0, count);
  }
}
