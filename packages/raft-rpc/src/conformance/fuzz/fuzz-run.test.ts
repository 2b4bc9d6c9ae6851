import { expect, test } from "vitest";
import { type FuzzTarget, runFuzz } from "./fuzz-run.ts";

function half(octet: number): string {
  return octet < 128 ? "low" : "high";
}

/** Takes all octets but one. */
const target: FuzzTarget = {
  name: "a target",
  makeInput: (random) => Uint8Array.of(random.below(256), random.below(256)),
  execute(input) {
    const [first = 0] = input;
    if (first === 77) throw new RangeError("77 is too much");
    return half(first);
  },
};

const now = (): number => 0;

test("a finding names the target, the seed and the input, and that seed alone finds it again", () => {
  const run = (seed: number, executions: number): string => {
    try {
      runFuzz(target, { seed, executions, now });
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const message = run(1, 10_000);
  const [, seed] = /FUZZ_SEED=(\d+) FUZZ_EXECUTIONS=1, input 4d[0-9a-f]{2}$/.exec(message) ?? [];
  expect(message).toMatch(/^RangeError: 77 is too much, found in a target with /);
  expect(run(Number(seed), 1)).toBe(message);
  expect(run(Number(seed) + 1, 1)).toBe("nothing");
});

test("the same seed gives the same inputs, and the outcomes are counted", () => {
  const tame: FuzzTarget = { ...target, execute: ([first = 0]) => half(first) };
  const first = runFuzz(tame, { seed: 5, executions: 1000, now });
  const second = runFuzz(tame, { seed: 5, executions: 1000, now });
  expect([...first.outcomes.values()].reduce((sum, count) => sum + count)).toBe(1000);
  expect(second).toEqual(first);
});
