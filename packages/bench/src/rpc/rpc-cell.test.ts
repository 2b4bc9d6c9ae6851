import { expect, test } from "vitest";
import type { Contestant } from "./contestant.ts";
import { measureRpcCell } from "./rpc-cell.ts";

const shape = { connections: 1, inFlight: 1 };
const never = new AbortController().signal;

/** Gives these rates, one after the other, and notes its turns. */
function contestant(name: string, rates: readonly number[], log: string[]): Contestant {
  let turn = 0;
  return {
    name,
    turn() {
      log.push(name);
      const ratePerSecond = rates[turn++] ?? Number.NaN;
      const failure = ratePerSecond === 0 ? "stands still" : null;
      return Promise.resolve({
        ratePerSecond,
        latency: { p50Ms: turn, p99Ms: 2 * turn, maxMs: 9 },
        cpuUs: turn,
        allocatedBytes: null,
        failure,
      });
    },
  };
}

test("the contestants take turns in being first, and the first one's rate is compared round by round", async () => {
  const log: string[] = [];
  const contestants = [contestant("a", [100, 200, 900], log), contestant("b", [10, 40, 100], log)];
  const { results } = await measureRpcCell({ contestants, shape, rounds: 3, turnMs: 1 }, never);
  expect(log).toEqual(["a", "b", "b", "a", "a", "b"]);
  expect(results[1]).toEqual({
    name: "b",
    rate: { median: 40, min: 10, max: 100 },
    p50Ms: 2,
    p99Ms: 4,
    cpuUs: 2,
    allocatedBytes: null,
    ratio: { median: 9, min: 5, max: 10 },
    cpuRatio: 1,
    failures: [],
  });
});

test("what failed in any round is told", async () => {
  const { results } = await measureRpcCell({ contestants: [contestant("a", [5, 0], [])], shape, rounds: 2, turnMs: 1 }, never);
  expect(results[0]?.failures).toEqual(["stands still"]);
});
