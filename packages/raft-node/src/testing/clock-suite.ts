import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../ports.ts";

export interface ClockFixture {
  readonly clock: Clock;
  /** Lets time pass while `body` runs: a simulated clock needs its simulation to be driven. */
  run(body: () => Promise<void>): Promise<void>;
  /** Called once, after the last test. */
  close(): Promise<void>;
}

/** What every Clock promises. */
export function describeClock(name: string, makeFixture: () => Promise<ClockFixture>): void {
  describe(`Clock: ${name}`, () => {
    let fixture: ClockFixture;
    const onClock = (title: string, body: (clock: Clock) => Promise<void>): void =>
      test(title, () => fixture.run(() => body(fixture.clock)));
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => void fixture.clock.setTimer(ms, resolve));

    beforeAll(async () => {
      fixture = await makeFixture();
    });
    afterAll(() => fixture.close());

    onClock("the monotonic clock never goes back", async (clock) => {
      let before = clock.monotonicMs();
      for (let i = 0; i < 200; i++) {
        if (i % 40 === 0) await sleep(1);
        const now = clock.monotonicMs();
        expect(now).toBeGreaterThanOrEqual(before);
        before = now;
      }
    });

    onClock("a timer is never early, also with a fraction of a millisecond", async (clock) => {
      for (const delayMs of [0, 0.3, 1, 1.5, 2.9, 7, 12.25]) {
        const start = clock.monotonicMs();
        await sleep(delayMs);
        // The difference of two doubles is off by less than a nanosecond.
        expect(clock.monotonicMs() - start).toBeGreaterThan(delayMs - 1e-6);
      }
    });

    onClock("timers fire once each, in the order they are due, and never within the call that sets them", async (clock) => {
      const fired: number[] = [];
      for (const delayMs of [60, 5, 30]) clock.setTimer(delayMs, () => void fired.push(delayMs));
      clock.setTimer(0, () => void fired.push(0));
      expect(fired).toEqual([]);
      await sleep(90);
      expect(fired).toEqual([0, 5, 30, 60]);
    });

    onClock("a cancelled timer never fires, and cancelling is allowed at any time", async (clock) => {
      const fired: string[] = [];
      const cancelled = clock.setTimer(5, () => void fired.push("cancelled"));
      cancelled.cancel();
      cancelled.cancel();
      const late = clock.setTimer(1, () => void fired.push("late"));
      const itself = clock.setTimer(2, () => {
        fired.push("itself");
        itself.cancel();
      });
      await sleep(20);
      late.cancel();
      expect(fired).toEqual(["late", "itself"]);
    });

    onClock("of two timers that are due together the first may cancel the second", async (clock) => {
      const fired: string[] = [];
      const timers = ["first", "second"].map((own, position) =>
        clock.setTimer(5, () => {
          fired.push(own);
          timers[1 - position]?.cancel();
        }),
      );
      await sleep(20);
      expect(fired).toEqual(["first"]);
    });

    onClock("the end of a turn comes after its microtasks, in order, and once", async (clock) => {
      const order: string[] = [];
      await new Promise<void>((resolve) => {
        clock.atEndOfTurn(() => void order.push("end 1"));
        clock.atEndOfTurn(() => {
          order.push("end 2");
          clock.atEndOfTurn(resolve);
        });
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => void order.push("microtask"));
        order.push("now");
      });
      await sleep(2);
      expect(order).toEqual(["now", "microtask", "end 1", "end 2"]);
    });

    onClock("the wall clock shows milliseconds of this century and goes with the other one", async (clock) => {
      const [wall, monotonic] = [clock.wallMs(), clock.monotonicMs()];
      expect(wall).toBeGreaterThan(1_700_000_000_000);
      expect(wall).toBeLessThan(4_102_444_800_000);
      await sleep(30);
      const apart = clock.wallMs() - wall - (clock.monotonicMs() - monotonic);
      expect(Math.abs(apart)).toBeLessThan(25);
    });

    test("a timer without an end is refused", () => {
      for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY])
        expect(() => fixture.clock.setTimer(delayMs, () => {})).toThrow(RangeError);
    });
  });
}
