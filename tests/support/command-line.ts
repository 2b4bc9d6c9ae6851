import { spawn } from "node:child_process";
import { noteChild } from "./child-processes.ts";

export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  /** Standard input; empty by default. */
  readonly input?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Sends SIGINT once standard output has this many lines. */
  readonly interruptAfterLines?: number;
  /** Ends standard input only when standard output has this many lines. */
  readonly endInputAfterLines?: number;
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly out: string;
  readonly err: string;
  /** As a shell has it: 128 and its number for a signal that ended the program. */
  readonly status: number;
}

const defaultTimeoutMs = 120_000;
const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a program to its end. Rejects if it does not end in time. */
export function runCommandLine(line: CommandLine): Promise<CommandResult> {
  const { program, args, input = "", environment = {}, timeoutMs = defaultTimeoutMs } = line;
  const { interruptAfterLines = Number.POSITIVE_INFINITY, endInputAfterLines = 0 } = line;
  return new Promise((resolve, reject) => {
    const child = noteChild(spawn(program, args, { stdio: "pipe", env: { ...process.env, ...environment } }));
    let out = "";
    let err = "";
    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const react = (): void => {
      const lines = out.split("\n").length - 1;
      if (lines >= interruptAfterLines) child.kill("SIGINT");
      if (lines >= endInputAfterLines) child.stdin.end();
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      react();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.stdin.on("error", () => undefined).write(input);
    react();
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (overdue) reject(new Error(`${program} ${args.join(" ")} did not end within ${timeoutMs} ms:\n${out}${err}`));
      else resolve({ out, err, status: code ?? 128 + (signalNumbers[signal ?? ""] ?? 0) });
    });
  });
}
