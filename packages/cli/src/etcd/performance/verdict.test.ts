import { expect, test } from "vitest";
import { loadModel } from "./load-model.ts";
import { progressBar } from "./progress-bar.ts";
import { judgePerformance } from "./verdict.ts";

const small = { writesPerSecond: 150, clients: 50 };

test("a load is known by its short and its long name", () => {
  expect(loadModel("s")).toEqual(small);
  expect(loadModel("Small")).toEqual(small);
  expect(loadModel("xLarge")).toEqual({ writesPerSecond: 15_000, clients: 1000 });
  expect(loadModel("xxl")).toBeNull();
});

test("a cluster that carries the load evenly passes", () => {
  const latenciesMs = Array.from({ length: 1490 }, (_, at) => (at % 2 === 0 ? 4 : 6));
  expect(judgePerformance({ latenciesMs, failures: 0, seconds: 10 }, small)).toEqual({
    passed: true,
    lines: ["PASS: Throughput is 150 writes/s", "PASS: Slowest request took 0.006000s", "PASS: Stddev is 0.001000s", "PASS"],
  });
});

test("a slow, uneven or failing one does not, and each reason is named", () => {
  const latenciesMs = [...Array.from({ length: 500 }, () => 10), ...Array.from({ length: 500 }, () => 810)];
  expect(judgePerformance({ latenciesMs, failures: 3, seconds: 10 }, small)).toEqual({
    passed: false,
    lines: [
      "FAIL: Throughput too low: 101 writes/s",
      "FAIL: Slowest request took too long: 0.810000s",
      "FAIL: Stddev too high: 0.400000s",
      "FAIL: 3 writes failed",
      "FAIL",
    ],
  });
  expect(judgePerformance({ latenciesMs: [], failures: 9, seconds: 1 }, small).passed).toBe(false);
});

test("the bar of progress fills, and tells what is left", () => {
  expect(progressBar(0, 60_000)).toBe(`[${".".repeat(40)}]   0.0% 60 s left`);
  expect(progressBar(15_000, 60_000)).toBe(`[${"#".repeat(10)}${".".repeat(30)}]  25.0% 45 s left`);
  expect(progressBar(61_000, 60_000)).toBe(`[${"#".repeat(40)}] 100.0% 0 s left`);
});
