import { expect, test } from "vitest";
import { durationText, parseDurationMs } from "./duration.ts";

test.each([
  ["5s", 5000],
  ["500ms", 500],
  ["1m30s", 90_000],
  ["0.5h", 1_800_000],
  [".5s", 500],
  ["100us", 0.1],
  ["0", 0],
  ["0s", 0],
  ["1", null],
  ["1q", null],
  ["s", null],
  ["5s ", null],
  ["-5s", null],
  ["", null],
])("%j is %s ms", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each([
  [1.591264, "1.591264ms"],
  [2500, "2.5s"],
  [1000.847656, "1.000848s"],
  [0.25, "250µs"],
  [3, "3ms"],
])("%d ms took %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
