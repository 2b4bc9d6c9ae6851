import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { StorageProgramOptions } from "./storage-program.ts";
import type { StorageLine } from "./storage-work.ts";

export interface StorageProcessEnd {
  /** Null: it was killed. */
  readonly status: number | null;
  /** What it told in whole lines. */
  readonly lines: readonly StorageLine[];
  /** What it said for people. */
  readonly errors: string;
}

/** A storage program that runs in a process of its own. */
export class StorageProcess {
  readonly ended: Promise<StorageProcessEnd>;
  readonly #child: ChildProcess;
  #text = "";
  #errors = "";
  #lineCount = 0;
  readonly #waiting: { readonly count: number; readonly wake: () => void }[] = [];

  /** `program` is a file that hands its first argument, as JSON, to `runStorageProgram`. */
  constructor(program: string, options: StorageProgramOptions, environment: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ["ignore", "pipe", "pipe"], env: environment });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    this.ended = once(this.#child, "close").then(([status]: (number | null)[]) => {
      this.#wake(Number.POSITIVE_INFINITY);
      return { status: status ?? null, lines: this.#lines(), errors: this.#errors };
    });
  }

  /** Resolves when it has told so many lines, or has ended. */
  told(count: number): Promise<void> {
    if (this.#lineCount >= count) return Promise.resolve();
    return new Promise((wake) => this.#waiting.push({ count, wake }));
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #read(text: string): void {
    this.#text += text;
    for (const character of text) if (character === "\n") this.#lineCount += 1;
    this.#wake(this.#lineCount);
  }

  #wake(count: number): void {
    const due = this.#waiting.filter((waiting) => waiting.count <= count);
    for (const waiting of due) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.wake();
    }
  }

  /** What was being written when it was killed is no line. */
  #lines(): readonly StorageLine[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as StorageLine);
  }
}
