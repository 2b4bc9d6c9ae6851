import { expect, test } from "vitest";
import { pacedChunks } from "./paced-chunks.ts";
import { savingPace } from "./snapshot-exchange.ts";
import { ManualClock } from "./testing/manual-clock.ts";

/** Chunks of one byte, each of which takes as many milliseconds to make. */
async function* chunksOf(sizesMs: readonly number[], time: { nowMs: number }, onClosed: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (const [place, ms] of sizesMs.entries()) {
      await Promise.resolve();
      time.nowMs += ms;
      yield Uint8Array.of(place);
    }
  } finally {
    onClosed();
  }
}

async function settled(): Promise<void> {
  for (let hop = 0; hop < 20; hop++) await Promise.resolve();
}

test("a chunk is handed on at once, and the next one is made after a rest of three times its work, 5 ms at most", async () => {
  const time = { nowMs: 100 };
  const clock = new ManualClock(time);
  const arrivals: (readonly [number, number])[] = [];
  const reading = (async () => {
    for await (const [place = -1] of pacedChunks(
      chunksOf([1, 0, 40, 1], time, () => {}),
      clock,
      savingPace,
    ))
      arrivals.push([place, time.nowMs]);
  })();
  for (let ms = 0; ms < 60; ms++) {
    await settled();
    time.nowMs++;
    clock.fireTimers();
  }
  await reading;
  // 1 ms of work, 3 of rest; none for what took no time; 40 of work, 5 of rest.
  expect(arrivals).toEqual([
    [0, 101],
    [1, 104],
    [2, 144],
    [3, 150],
  ]);
});

test("there is no rest while nobody else has work", async () => {
  const time = { nowMs: 0 };
  const clock = new ManualClock(time);
  const chunks = pacedChunks(
    chunksOf([1, 1, 1], time, () => {}),
    clock,
    { ...savingPace, isBusy: () => time.nowMs >= 2 },
  );
  const arrivals: number[] = [];
  const reading = (async () => {
    for await (const [place = -1] of chunks) arrivals.push(place);
  })();
  await settled();
  expect(arrivals).toEqual([0, 1]);
  for (let rest = 0; rest < 2; rest++) {
    time.nowMs += 3;
    clock.fireTimers();
    await settled();
  }
  await reading;
  expect(arrivals).toEqual([0, 1, 2]);
});

test("whoever stops reading ends the source, too", async () => {
  let isClosed = false;
  const clock = new ManualClock({ nowMs: 0 });
  const source = chunksOf([0, 0], { nowMs: 0 }, () => {
    isClosed = true;
  });
  for await (const _ of pacedChunks(source, clock, savingPace)) break;
  expect(isClosed).toBe(true);
});
