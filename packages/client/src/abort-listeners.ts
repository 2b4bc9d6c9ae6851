/** Node.js warns of a leak when a signal has more than ten listeners, which many calls at one time have: so each signal gets one. */
const listening = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `listener` when the signal aborts, at once if it has. Returns what undoes it. Without a signal nothing happens. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) {
    listener();
    return () => undefined;
  }
  const listeners = listening.get(signal) ?? listen(signal);
  // The same function may be given several times.
  const entry = (): void => listener();
  listeners.add(entry);
  return () => listeners.delete(entry);
}

function listen(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listening.set(signal, listeners);
  signal.addEventListener("abort", () => {
    for (const listener of [...listeners]) listener();
  });
  return listeners;
}
