import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { DeadlineWheel, WheelTimer } from "./deadline-wheel.ts";

test("entries fire after their deadline, at most a slot late, and never when they were cleared or moved", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), entry: fc.integer({ min: 0, max: 9 }), inMs: fc.integer({ min: -10, max: 20_000 }) }),
    fc.record({ kind: fc.constant("clear" as const), entry: fc.integer({ min: 0, max: 9 }), inMs: fc.constant(0) }),
    fc.record({ kind: fc.constant("advance" as const), entry: fc.constant(0), inMs: fc.integer({ min: 0, max: 9_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new ManualClock();
      const wheel = new DeadlineWheel(clock);
      const due = new Map<number, number>();
      const timers = Array.from({ length: 10 }, (_, place) => {
        return new WheelTimer(() => {
          const deadlineMs = due.get(place) ?? Number.NaN;
          expect(clock.monotonicMs()).toBeGreaterThanOrEqual(deadlineMs);
          expect(clock.monotonicMs()).toBeLessThanOrEqual(Math.max(deadlineMs, setAt.get(place) ?? 0) + 8);
          due.delete(place);
        });
      });
      const setAt = new Map<number, number>();
      for (const { kind, entry, inMs } of steps) {
        const timer = timers[entry];
        if (timer === undefined) throw new Error("There are ten timers");
        if (kind === "advance") {
          clock.advance(inMs);
        } else if (kind === "set") {
          due.set(entry, clock.monotonicMs() + inMs);
          setAt.set(entry, clock.monotonicMs());
          wheel.set(timer, clock.monotonicMs() + inMs);
        } else {
          due.delete(entry);
          wheel.clear(timer);
        }
        expect(wheel.size).toBe(due.size);
      }
      clock.advance(60_000);
      expect([wheel.size, due.size, clock.timerCount]).toEqual([0, 0, 0]);
    }),
  );
});

test("a deadline that clears or moves another in the same moment is obeyed", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const fired: string[] = [];
  const timers: WheelTimer[] = ["a", "b", "c"].map((name) => {
    const timer = new WheelTimer(() => {
      fired.push(name);
      const [cleared, moved] = timers.filter((other) => other !== timer);
      if (fired.length > 1 || cleared === undefined || moved === undefined) return;
      wheel.clear(cleared);
      wheel.set(moved, clock.monotonicMs() + 1000);
    });
    return timer;
  });
  for (const timer of timers) wheel.set(timer, clock.monotonicMs() + 10);
  clock.advance(100);
  expect(fired.length).toBe(1);
  clock.advance(1000);
  expect(fired.length).toBe(2);
});

test("a wheel without entries sets no timer", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  wheel.set(new WheelTimer(() => undefined), Number.POSITIVE_INFINITY);
  expect([wheel.size, clock.timerCount]).toEqual([0, 0]);
});

test("a wheel that was stopped leaves no timer, and goes on when something is set", () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const fired: string[] = [];
  const timer = new WheelTimer(() => fired.push("fired"));
  wheel.set(timer, clock.monotonicMs() + 100);
  expect(clock.timerCount).toBe(1);
  wheel.stop();
  expect(clock.timerCount).toBe(0);
  wheel.set(timer, clock.monotonicMs() + 100);
  clock.advance(200);
  expect(fired).toEqual(["fired"]);
});
