import { expect, test } from "vitest";
import { UsageError } from "../option-values.ts";
import { parseFailoverOptions, usage } from "./failover-options.ts";

test("without flags every fault befalls both systems thirty times", () => {
  expect(parseFailoverOptions([])).toMatchObject({
    faults: ["kill", "pause", "stop"],
    trials: 30,
    leadInMs: 3_000,
    seed: 1,
    withEtcd: true,
    check: false,
    steadyMs: null,
    keep: false,
    jsonFile: null,
  });
});

test("every flag does what it says", () => {
  const args = "--only stop,kill --trials 5 --lead-in 0.5 --seed 9 --no-etcd --check --steady 600 --directory /d --keep --json f";
  expect(parseFailoverOptions(args.split(" "))).toEqual({
    faults: ["stop", "kill"],
    trials: 5,
    leadInMs: 500,
    seed: 9,
    withEtcd: false,
    check: true,
    steadyMs: 600_000,
    directory: "/d",
    keep: true,
    jsonFile: "f",
  });
});

test("help names every flag", () => {
  expect(parseFailoverOptions(["--help"])).toBeNull();
  for (const flag of ["only", "trials", "lead-in", "seed", "no-etcd", "check", "steady", "directory", "keep", "json"]) {
    expect(usage).toContain(`--${flag} `);
  }
});

test.each([
  [["--only", "crash"], 'Fault "crash" is none of kill, pause, stop'],
  [["--trials", "0"], '--trials "0" is not a whole number from 1 to 1000'],
  [["--lead-in", "0"], '--lead-in "0" is not a number from 0.1 to 3600'],
  [["--steady", "0.5"], '--steady "0.5" is not a number from 1 to 3600'],
  [["--fast"], /--fast/],
  [["kill"], /kill/],
])("%j is refused with a sentence that names it", (args, sentence) => {
  expect(() => parseFailoverOptions(args)).toThrow(UsageError);
  expect(() => parseFailoverOptions(args)).toThrow(sentence);
});
