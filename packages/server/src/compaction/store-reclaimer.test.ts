import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { StoreReclaimer } from "./store-reclaimer.ts";

/** Garbage that takes so many steps. */
class Garbage {
  steps = 0;
  taken = 0;
  isHeld = false;

  get usedBytes(): number {
    return this.steps;
  }

  reclaim(): boolean {
    if (this.steps > 0 && !this.isHeld) {
      this.steps--;
      this.taken++;
    }
    return this.steps > 0;
  }
}

test("memory is given back in slices, with pauses between them", async () => {
  const clock = new ManualClock();
  const garbage = new Garbage();
  const reclaimer = new StoreReclaimer({ store: garbage, clock });
  await clock.run(10);
  garbage.steps = 150;
  reclaimer.compacted();
  expect(garbage.taken).toBe(0);
  await clock.run(3);
  expect(garbage.taken).toBe(64);
  await clock.run(2);
  expect(garbage.taken).toBe(64);
  await clock.run(1);
  expect(garbage.taken).toBe(128);
  await clock.run(3);
  expect(garbage.steps).toBe(0);
  await clock.run(100);
  expect(garbage.taken).toBe(150);
  expect([reclaimer.sliceMs, reclaimer.totalMs].map(({ counts }) => counts.reduce((sum, count) => sum + count))).toEqual([3, 1]);
  expect(reclaimer.totalMs.sum).toBe(9);
});

test("whoever waits for the memory is told when it is there", async () => {
  const clock = new ManualClock();
  const garbage = new Garbage();
  const reclaimer = new StoreReclaimer({ store: garbage, clock });
  garbage.steps = 100;
  let isDone = false;
  reclaimer.whenReclaimed(() => {
    isDone = true;
  });
  await clock.run(3);
  expect(isDone).toBe(false);
  await clock.run(3);
  expect(isDone).toBe(true);
});

test("memory that somebody holds is asked for less often, until it is let go", async () => {
  const clock = new ManualClock();
  const garbage = new Garbage();
  const reclaimer = new StoreReclaimer({ store: garbage, clock });
  garbage.steps = 10;
  garbage.isHeld = true;
  reclaimer.compacted();
  await clock.run(10);
  garbage.isHeld = false;
  await clock.run(50);
  expect(garbage.taken).toBe(0);
  await clock.run(50);
  expect(garbage.taken).toBe(10);
});

test("a reclaimer that is stopped does nothing more", async () => {
  const clock = new ManualClock();
  const garbage = new Garbage();
  garbage.steps = 100;
  new StoreReclaimer({ store: garbage, clock }).stop();
  await clock.run(100);
  expect(garbage.taken).toBe(0);
});
