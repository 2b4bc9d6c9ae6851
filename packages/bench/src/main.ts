import { runBench } from "./bench.ts";
import { parseBenchOptions, UsageError, usage } from "./bench-options.ts";

const exitFailed = 1;
const exitUsage = 64;
/** As shells count an end by SIGINT. */
const exitInterrupted = 130;
const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

class Interrupted extends Error {
  override readonly name = "Interrupted";
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const onSignal = (signal: string): void => {
    // The second one does not wait for the servers to stop in order: leaving kills them.
    if (abort.signal.aborted) process.exit(exitInterrupted);
    abort.abort(new Interrupted(`${signal}: stopping`));
  };
  for (const signal of stopSignals) process.on(signal, onSignal);
  // Channels and timers of the load do not keep a process alive.
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  const output = {
    line: (text: string): void => void process.stdout.write(`${text}\n`),
    progress: (text: string): void => void process.stderr.write(`bench: ${text}\n`),
  };
  try {
    const options = parseBenchOptions(args);
    if (options !== null) return await runBench(options, output, abort.signal);
    process.stdout.write(usage);
    return 0;
  } catch (error) {
    if (abort.signal.aborted) return exitInterrupted;
    output.progress(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? exitUsage : exitFailed;
  } finally {
    clearInterval(keepAlive);
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
}
