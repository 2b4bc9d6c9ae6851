import fc from "fast-check";
import { expect, test } from "vitest";
import { InflightWindow } from "./inflight-window.ts";

const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), amount: fc.nat(60) }),
  fc.record({ kind: fc.constantFrom("release" as const, "clear" as const), amount: fc.nat(12) }),
);

/** Sizes around the first capacity of the ring, 8, and its double are the interesting ones. */
const sizes = fc.record({ messagesMax: fc.integer({ min: 1, max: 20 }), bytesMax: fc.constantFrom(100, 1000, Number.POSITIVE_INFINITY) });

test("it counts messages and bytes like a plain list", () => {
  fc.assert(
    fc.property(sizes, fc.array(step, { maxLength: 80 }), ({ messagesMax, bytesMax }, steps) => {
      const window = new InflightWindow(messagesMax, bytesMax);
      let model: { readonly index: number; readonly bytes: number }[] = [];
      let last = 0;
      for (const { kind, amount } of steps) {
        if (kind === "clear" && amount === 0) {
          window.clear();
          model = [];
        } else if (kind === "release") {
          window.release(last - amount);
          model = model.filter((message) => message.index > last - amount);
        } else if (!window.isFull) {
          last++;
          window.add(last, amount);
          model.push({ index: last, bytes: amount });
        }
        const bytes = model.reduce((sum, message) => sum + message.bytes, 0);
        expect([window.count, window.bytes]).toEqual([model.length, bytes]);
        expect(window.isFull).toBe(model.length === messagesMax || bytes >= bytesMax);
      }
    }),
    { numRuns: 300 },
  );
});

test("nothing goes into a full window", () => {
  const window = new InflightWindow(1, 100);
  window.add(1, 1);
  expect(() => window.add(2, 1)).toThrow("Nothing is sent into a full window");
});

test("appends leave in the order of the log, from wherever it is after a new start", () => {
  const window = new InflightWindow(5, 100);
  window.add(7, 1);
  expect(() => window.add(7, 1)).toThrow("Appends leave in the order of the log");
  window.clear();
  window.add(3, 1);
  expect(window.count).toBe(1);
});

test("a window as wide as one likes takes up room only for what is in it", () => {
  const window = new InflightWindow(2 ** 31 - 1, Number.POSITIVE_INFINITY);
  for (let index = 1; index <= 10_000; index++) window.add(index, 1);
  window.release(9_000);
  for (let index = 10_001; index <= 30_000; index++) window.add(index, 1);
  expect([window.count, window.bytes, window.isFull]).toEqual([21_000, 21_000, false]);
  for (const index of [9_001, 16_500, 29_999]) {
    window.release(index);
    expect([window.count, window.bytes]).toEqual([30_000 - index, 30_000 - index]);
  }
});

test("an adaptive window opens at four, or at less if less is allowed", () => {
  const fill = (window: InflightWindow): number => {
    while (!window.isFull) window.add(window.count + 1, 1);
    return window.count;
  };
  expect([256, 3, 1].map((messagesMax) => fill(new InflightWindow(messagesMax, 1000, true)))).toEqual([4, 3, 1]);
});

test("a window that was narrowed while it was full takes nothing until it has emptied below the new limit", () => {
  const window = new InflightWindow(256, 1_000_000, true);
  for (let index = 1; index <= 4; index++) window.add(index, 1);
  window.release(2);
  window.add(5, 1);
  window.add(6, 1);
  window.release(4);
  window.add(7, 1);
  expect([window.count, window.isFull]).toEqual([3, true]);
});

test("an adaptive window learns only from what arrived since the last new start", () => {
  const window = new InflightWindow(256, 1_000_000, true);
  for (let index = 1; index <= 3; index++) window.add(index, 1);
  window.release(3);
  window.clear();
  window.add(4, 1);
  window.release(4);
  for (let index = 5; !window.isFull; index++) window.add(index, 1);
  expect(window.count).toBe(4);
});
