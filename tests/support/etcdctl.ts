import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { noteChild } from "./child-processes.ts";
import { eventually } from "./eventually.ts";
import { findProgram } from "./program.ts";

/** Where etcdctl is on the PATH, or null. */
export const etcdctlProgram = findProgram("etcdctl");

/** Of its own, etcdctl gives a busy machine 2 s for a connection and 5 s for a command. */
export const etcdctlEnvironment: NodeJS.ProcessEnv = { ETCDCTL_API: "3", ETCDCTL_DIAL_TIMEOUT: "60s", ETCDCTL_COMMAND_TIMEOUT: "60s" };

const timeoutMs = 120_000;

/** Runs it to its end, and resolves to its standard output: to the other it writes of every try. Rejects with that if its status is not 0. */
export async function runEtcdctl(...args: readonly string[]): Promise<string> {
  const options = { env: { ...process.env, ...etcdctlEnvironment }, timeout: timeoutMs };
  const running = promisify(execFile)(etcdctlProgram ?? "etcdctl", args, options);
  noteChild(running.child);
  return (await running).stdout;
}

/** An etcdctl that goes on until it is told to stop. */
export class RunningEtcdctl {
  output = "";
  errors = "";
  private readonly child: ChildProcess;

  constructor(args: readonly string[]) {
    const options = { env: { ...process.env, ...etcdctlEnvironment }, stdio: "pipe" } as const;
    this.child = noteChild(spawn(etcdctlProgram ?? "etcdctl", args, options));
    this.child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.output += chunk;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.errors += chunk;
    });
  }

  /** A line of its standard input. */
  type(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Waits until its output is exactly this, or matches. */
  wrote(expected: string | RegExp): Promise<void> {
    return eventually(async () => {
      const isThere = typeof expected === "string" ? this.output === expected : expected.test(this.output);
      if (!isThere) throw new Error(`etcdctl did not write ${JSON.stringify(String(expected))}, but ${this.both}`);
    });
  }

  /** Waits until its standard error matches. */
  complained(expected: RegExp): Promise<void> {
    return eventually(async () => {
      if (!expected.test(this.errors)) throw new Error(`etcdctl did not complain of ${String(expected)}, but wrote ${this.both}`);
    });
  }

  private get both(): string {
    return JSON.stringify([this.output, this.errors]);
  }

  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = once(this.child, "close");
    this.child.kill(signal);
    await closed;
  }
}
