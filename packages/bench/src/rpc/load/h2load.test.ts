import { expect, test } from "vitest";
import { parseH2load, parseLatencies } from "./h2load.ts";

test("the answers of h2load are read from its summary, and any that failed are told", () => {
  const summary = (done: number, succeeded: number): string =>
    `requests: 131360 total, 131360 started, ${done} done, ${succeeded} succeeded, ${done - succeeded} failed, 0 errored, 0 timeout\n`;
  expect(parseH2load(summary(131_360, 131_360))).toEqual({ answers: 131_360, failure: null });
  expect(parseH2load(summary(10, 9))).toEqual({ answers: 9, failure: "10 done, 9 succeeded, 1 failed, 0 errored, 0 timeout" });
  expect(parseH2load(summary(0, 0)).failure).toBe("0 done, 0 succeeded, 0 failed, 0 errored, 0 timeout");
  expect(parseH2load("could not connect")).toEqual({ answers: 0, failure: "h2load did not say how many requests it made" });
});

test("latencies are the last column of the log", () => {
  const log = Array.from({ length: 100 }, (_, place) => `1795395556325954\t200\t${(place + 1) * 1000}\n`).join("");
  const { p50Ms, p99Ms, maxMs } = parseLatencies(log);
  // Three significant figures.
  expect([p50Ms, p99Ms, maxMs].map(Math.round)).toEqual([50, 99, 100]);
  expect(parseLatencies("")).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 });
});
