import { UsageError } from "./option-values.ts";

/** Where a program writes. */
export interface ProgramOutput {
  /** A line of the report. */
  line(text: string): void;
  /** What it is doing now. */
  progress(text: string): void;
}

/** One of the commands that this package brings. */
export interface Program<Options> {
  /** Stands before what it says of its progress. */
  readonly name: string;
  readonly usage: string;
  /** Null: help is asked for. Throws UsageError. */
  readonly parse: (args: readonly string[]) => Options | null;
  /** Resolves to the exit status. Rejects with a sentence, or the reason of the signal. */
  readonly run: (options: Options, output: ProgramOutput, signal: AbortSignal) => Promise<number>;
}

/** Everything has been measured, and nothing was wrong. */
export const exitOk = 0;
/** What was measured is wrong, or too bad. */
export const exitFaulty = 1;
const exitFailed = 1;
const exitUsage = 64;
/** As shells count an end by SIGINT. */
const exitInterrupted = 130;
const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Runs a program with the arguments of this process until it ends or a signal stops it. Resolves to the exit status. */
export async function runProgram<Options>(program: Program<Options>): Promise<number> {
  const abort = new AbortController();
  const onSignal = (signal: string): void => {
    // The second one does not wait for the servers to stop in order: leaving kills them.
    if (abort.signal.aborted) process.exit(exitInterrupted);
    abort.abort(new Interrupted(`${signal}: stopping`));
  };
  for (const signal of stopSignals) process.on(signal, onSignal);
  // Channels and timers of the load do not keep a process alive.
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  const output: ProgramOutput = {
    line: (text) => void process.stdout.write(`${text}\n`),
    progress: (text) => void process.stderr.write(`${program.name}: ${text}\n`),
  };
  try {
    const options = program.parse(process.argv.slice(2));
    if (options !== null) return await program.run(options, output, abort.signal);
    process.stdout.write(program.usage);
    return exitOk;
  } catch (error) {
    if (abort.signal.aborted) return exitInterrupted;
    output.progress(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? exitUsage : exitFailed;
  } finally {
    clearInterval(keepAlive);
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
}
