import { spawn } from "node:child_process";

/** The world around the program: what it reads and writes. Tests give their own. */
export interface Terminal {
  /** Bytes for the next program or a person. */
  writeOut(bytes: string | Uint8Array): void;
  /** Messages for a person. */
  writeErr(text: string): void;
  /** Standard input, read once. */
  readonly input: AsyncIterable<Uint8Array>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls `ended` when standard input ends or breaks. Does not keep the program alive. */
  onInputEnd(ended: () => void): void;
  /** Calls `stop` for every SIGINT, SIGTERM and SIGHUP until the returned function is called. */
  onStop(stop: (signal: string) => void): () => void;
  /**
   * Runs a program on this terminal, with these variables beside those of the environment. Resolves to null if it succeeded, else to why it
   * did not: `exit status 3`, `signal: SIGKILL`, or that it could not be started.
   */
  run(command: readonly string[], variables: Readonly<Record<string, string>>): Promise<string | null>;
  /** Does a person see what is written to standard error? */
  readonly showsProgress: boolean;
}

/** Ends the program with a sentence and an exit status. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
  readonly exitStatus: number;

  constructor(exitStatus: number, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.exitStatus = exitStatus;
  }
}

/** The same, when the sentence is written already. */
export class ToldError extends Error {
  override readonly name = "ToldError";
  readonly exitStatus: number;

  constructor(exitStatus: number, cause: Error) {
    super(cause.message, { cause });
    this.exitStatus = exitStatus;
  }
}

const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function processTerminal(): Terminal {
  // A reader that went away (`raftkv get k | head`) is no error of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  return {
    writeOut: (bytes) => void process.stdout.write(bytes),
    writeErr: (text) => void process.stderr.write(text),
    input: process.stdin,
    environment: process.env,
    onInputEnd: (ended) => {
      process.stdin.once("close", ended).on("error", ended).resume();
      process.stdin.unref();
    },
    onStop: (stop) => {
      for (const signal of stopSignals) process.on(signal, stop);
      return () => {
        for (const signal of stopSignals) process.off(signal, stop);
      };
    },
    run: runOnTerminal,
    showsProgress: process.stderr.isTTY,
  };
}

function runOnTerminal([file = "", ...args]: readonly string[], variables: Readonly<Record<string, string>>): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: "inherit", env: { ...process.env, ...variables } });
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(endText(code, signal)));
  });
}

/** Null: it succeeded. */
export function endText(code: number | null, signal: string | null): string | null {
  if (signal !== null) return `signal: ${signal}`;
  return code === 0 ? null : `exit status ${code}`;
}
