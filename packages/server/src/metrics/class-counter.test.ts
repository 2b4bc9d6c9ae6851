import { expect, test } from "vitest";
import { ClassCounter, doublingBounds } from "./class-counter.ts";

test("an observation counts in the first class that is large enough for it, or above all", () => {
  const counter = new ClassCounter(doublingBounds(0.01, 3));
  for (const value of [0, 0.01, 0.011, 0.04, 7]) counter.observe(value);
  expect(counter).toMatchObject({ bounds: [0.01, 0.02, 0.04], counts: [2, 1, 1, 1] });
  expect(counter.sum).toBeCloseTo(7.061);
});
