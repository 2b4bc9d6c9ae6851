import { closeSync, openSync, readSync } from "node:fs";

const nsPerMs = 1e6;
const usPerMs = 1000;

/**
 * Processor time of the thread that makes it. Linux tells it up to the last tick of its scheduler, some milliseconds ago (proc(5),
 * schedstat); elsewhere it is that of the whole process, which is more.
 */
export class ThreadTime {
  readonly #file: number | null = openThreadFile();
  readonly #text = Buffer.alloc(128);

  readMs(): number {
    if (this.#file === null) {
      const { user, system } = process.cpuUsage();
      return (user + system) / usPerMs;
    }
    const length = readSync(this.#file, this.#text, 0, this.#text.length, 0);
    return Number.parseInt(this.#text.toString("latin1", 0, length), 10) / nsPerMs;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
  }
}

function openThreadFile(): number | null {
  try {
    return openSync("/proc/thread-self/schedstat", "r");
  } catch {
    return null;
  }
}
