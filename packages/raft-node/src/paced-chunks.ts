import type { Clock } from "./ports.ts";

/** How whoever makes chunks gives way to others. To make one holds the event loop for a millisecond or two. */
export interface Pace {
  /** So many times as long as it took to make a chunk others have the event loop before the next. */
  readonly restPerWork: number;
  /** But no longer. */
  readonly restMsMax: number;
  /** Asked behind each chunk that took time: when nobody else has work, there is no rest. Default: somebody has. */
  readonly isBusy?: () => boolean;
}

/**
 * The same chunks, with a rest behind each that is in proportion to what it took to make it: who writes a snapshot beside its work
 * answers others meanwhile almost as soon as ever.
 */
export async function* pacedChunks(
  chunks: AsyncIterable<Uint8Array>,
  clock: Clock,
  { restPerWork, restMsMax, isBusy = () => true }: Pace,
): AsyncGenerator<Uint8Array, undefined> {
  const source = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const begunMs = clock.monotonicMs();
      const next = await source.next();
      const restMs = Math.min((clock.monotonicMs() - begunMs) * restPerWork, restMsMax);
      if (next.done === true) return;
      yield next.value;
      if (restMs > 0 && isBusy()) await new Promise<void>((resolve) => void clock.setTimer(restMs, resolve));
    }
  } finally {
    await source.return?.();
  }
}
