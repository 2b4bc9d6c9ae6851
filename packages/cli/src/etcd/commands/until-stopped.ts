import type { Terminal } from "../../terminal.ts";

/** Runs until it ends. Signals do not end the program meanwhile: `stopped` aborts, and what runs puts things in order. */
export async function untilStopped(terminal: Terminal, run: (stopped: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const ignoreSignals = terminal.onStop(() => stop.abort());
  try {
    await run(stop.signal);
  } finally {
    ignoreSignals();
  }
}

/** Resolves when the program is stopped. Rejects with the reason if what is owned is lost before. */
export function untilLost(owned: AbortSignal, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onLoss = (): void => reject(owned.reason instanceof Error ? owned.reason : new Error("It was lost"));
    const onStop = (): void => {
      owned.removeEventListener("abort", onLoss);
      resolve();
    };
    owned.addEventListener("abort", onLoss, { once: true });
    stopped.addEventListener("abort", onStop, { once: true });
    if (owned.aborted) onLoss();
    else if (stopped.aborted) onStop();
  });
}
