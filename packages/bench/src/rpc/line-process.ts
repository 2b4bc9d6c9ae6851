import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { cpuBetween, readCpuTime } from "../cluster/cpu-time.ts";

const answerTimeoutMs = 60_000;
/** Enough to write a profile. */
const stopTimeoutMs = 5_000;
const stderrTailBytes = 2000;

/** A process that answers lines with lines (`answerLines`). It goes when its standard input ends, so it cannot be left behind. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<void>;
  #stderrTail = "";

  constructor(program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => {
        this.#stderrTail = error.message;
        resolve();
      });
      child.once("close", () => resolve());
    });
    child.stderr.on("data", (text) => {
      this.#stderrTail = `${this.#stderrTail}${String(text)}`.slice(-stderrTailBytes);
    });
    // A process that is gone fails the next answer, not the pipe to it.
    child.stdin.on("error", () => undefined);
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** What it says first. Rejects if it ends instead. */
  hello(): Promise<unknown> {
    return this.#nextLine();
  }

  /** Rejects if it ends instead of answering. */
  ask(request: unknown): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#nextLine();
  }

  /** What `work` resolves to, and the CPU time of all threads of the process meanwhile: null where the system does not tell. */
  async withCpuTime<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly cpuMs: number | null }> {
    const { pid } = this.#child;
    const before = pid === undefined ? null : readCpuTime(pid);
    const result = await work();
    return { result, cpuMs: cpuBetween(before, pid === undefined ? null : readCpuTime(pid)) };
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    await this.#ended;
    clearTimeout(timer);
  }

  async #nextLine(): Promise<unknown> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), answerTimeoutMs);
    try {
      const line = await this.#lines.next();
      if (line.done !== true) return JSON.parse(line.value);
    } finally {
      clearTimeout(timer);
    }
    await this.#ended;
    throw new Error(`${this.#child.spawnargs.slice(0, 3).join(" ")} ended: ${this.#stderrTail.trim()}`);
  }
}
