import type { Clock } from "./ports.ts";

/** To make a chunk holds the event loop for a millisecond or two; so many times as long others have it before the next. */
const REST_PER_WORK = 3;
/** At 256 KiB a chunk it leaves more than 30 MB/s, as much as a log of small entries grows by. */
const REST_MS_MAX = 5;

/**
 * The same chunks, with a rest behind each that is in proportion to what it took to make it: who writes a snapshot beside its work
 * answers others meanwhile almost as soon as ever. `isBusy` is asked behind each chunk: when nobody else has work, there is no rest.
 */
export async function* pacedChunks(
  chunks: AsyncIterable<Uint8Array>,
  clock: Clock,
  isBusy: () => boolean = () => true,
): AsyncGenerator<Uint8Array, undefined> {
  const source = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const begunMs = clock.monotonicMs();
      const next = await source.next();
      const restMs = Math.min((clock.monotonicMs() - begunMs) * REST_PER_WORK, REST_MS_MAX);
      if (next.done === true) return;
      yield next.value;
      if (restMs > 0 && isBusy()) await new Promise<void>((resolve) => void clock.setTimer(restMs, resolve));
    }
  } finally {
    await source.return?.();
  }
}
