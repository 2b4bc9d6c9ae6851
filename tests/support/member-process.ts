import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { noteChild } from "./child-processes.ts";

export const raftkvProgram = fileURLToPath(new URL("../../packages/cli/bin/raftkv.js", import.meta.url));

export interface ExitResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

const outputBytesMax = 4 * 1024 * 1024;

/** One `raftkv …` process. Its output is kept for messages of failing tests. */
export class RaftKVProcess {
  private readonly child: ChildProcess;
  private readonly exited: Promise<ExitResult>;
  private text = "";

  constructor(args: readonly string[], options: { readonly environment?: NodeJS.ProcessEnv; readonly cwd?: string } = {}) {
    this.child = noteChild(
      spawn(process.execPath, [raftkvProgram, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, ...options.environment },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      }),
    );
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        this.text = (this.text + chunk).slice(-outputBytesMax);
      });
    }
    this.exited = once(this.child, "close").then(([code, signal]) => ({ code, signal, output: this.text }));
  }

  get output(): string {
    return this.text;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("The process did not start");
    return this.child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  exit(): Promise<ExitResult> {
    return this.exited;
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<ExitResult> {
    this.signal(signal);
    return this.exited;
  }

  /** Resolves when the output holds `text`; rejects if the process ends before that. */
  async waitForOutput(text: string | RegExp, timeoutMs = 60_000): Promise<void> {
    const found = (): boolean => (typeof text === "string" ? this.text.includes(text) : text.test(this.text));
    const deadline = Date.now() + timeoutMs;
    while (!found()) {
      if (!this.running) throw new Error(`The process ended without printing ${String(text)}:\n${this.text}`);
      if (Date.now() > deadline) throw new Error(`Nothing printed ${String(text)} within ${timeoutMs} ms:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Runs `raftkv …` to its end. */
export function runRaftKV(
  args: readonly string[],
  options: { readonly environment?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<ExitResult> {
  return new RaftKVProcess(args, options).exit();
}
