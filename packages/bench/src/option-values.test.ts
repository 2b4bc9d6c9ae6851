import { expect, test } from "vitest";
import { knownNames, orUsageError, parseFlags, secondsInMs, UsageError, wholeNumber } from "./option-values.ts";

test("flags that are unknown, and words that belong to none, are refused", () => {
  const flags = { trials: { type: "string", default: "30" } } as const;
  expect(parseFlags([], flags)).toMatchObject({ trials: "30" });
  expect(() => parseFlags(["--fast"], flags)).toThrow(UsageError);
  expect(() => parseFlags(["kill"], flags)).toThrow(UsageError);
});

test("a value is taken in its bounds only", () => {
  expect(wholeNumber("--n", "7", 7)).toBe(7);
  expect(() => wholeNumber("--n", "8", 7)).toThrow('--n "8" is not a whole number from 1 to 7');
  expect(secondsInMs("--s", "0.5", 0.5)).toBe(500);
  expect(() => secondsInMs("--s", "0.4", 0.5)).toThrow('--s "0.4" is not a number from 0.5 to 3600');
  expect(() => secondsInMs("--s", "3601", 0)).toThrow(UsageError);
});

test("names keep their order, and each must be known", () => {
  expect(knownNames("Fault", "stop,kill", ["kill", "stop"])).toEqual(["stop", "kill"]);
  expect(() => knownNames("Fault", "stop,", ["kill", "stop"])).toThrow('Fault "" is none of kill, stop');
});

test("what a parser throws becomes a usage error with the same sentence", () => {
  expect(orUsageError(() => 1)).toBe(1);
  expect(() =>
    orUsageError(() => {
      throw new RangeError("too much");
    }),
  ).toThrow(new UsageError("too much"));
});
