import { expect, test } from "vitest";
import { formatFailover, formatWrites } from "./failover-report.ts";
import type { TrialResult } from "./failover-trial.ts";
import { meetsTarget, summarizeFaults } from "./fault-summary.ts";

function trial(failoverMs: number | null, overrides: Partial<TrialResult> = {}): TrialResult {
  return {
    fault: "kill",
    system: "raftkv",
    trial: 1,
    leadInMs: 500,
    times: failoverMs === null ? null : { firstMs: failoverMs / 2, failoverMs, bothMs: failoverMs + 2, silenceMs: failoverMs + 1 },
    attempts: 100,
    acknowledged: 90,
    errors: {},
    problems: [],
    wrongWrites: [],
    ...overrides,
  };
}

const hundredth = Array.from({ length: 30 }, (_, place) => trial(101 + place));
const etcd = [trial(1200, { system: "etcd" }), trial(2400, { system: "etcd" })];

test("the trials of a fault and system come to quantiles of each kind of time", () => {
  const [raftkv, other] = summarizeFaults([...hundredth, ...etcd]);
  expect(raftkv).toEqual({
    fault: "kill",
    system: "raftkv",
    trials: 30,
    failures: 0,
    times: {
      failoverMs: { min: 101, p50: 115, p90: 127, p99: 130 },
      firstMs: { min: 50.5, p50: 57.5, p90: 63.5, p99: 65 },
      bothMs: { min: 103, p50: 117, p90: 129, p99: 132 },
      silenceMs: { min: 102, p50: 116, p90: 128, p99: 131 },
    },
  });
  expect(other).toMatchObject({ fault: "kill", system: "etcd", trials: 2, times: { failoverMs: { min: 1200, p50: 1200, p99: 2400 } } });
});

test("faults keep their order, and systems stand together", () => {
  const stop = { fault: "stop" } as const;
  const results = [trial(1, stop), trial(1, { ...stop, system: "etcd" }), trial(1), trial(1, { system: "etcd" }), trial(1, stop)];
  expect(summarizeFaults(results).map(({ fault, system, trials }) => [fault, system, trials])).toEqual([
    ["stop", "raftkv", 2],
    ["stop", "etcd", 1],
    ["kill", "raftkv", 1],
    ["kill", "etcd", 1],
  ]);
});

test.each([
  ["meets both bounds", [trial(150), trial(150), trial(500)], true],
  ["is too slow in most trials", [trial(151), trial(151), trial(150)], false],
  ["is too slow in one trial", [trial(10), trial(10), trial(501)], false],
  ["failed in one trial", [trial(10), trial(10), trial(null)], false],
  ["failed in all trials", [trial(null)], false],
  ["is etcd, which has no target", [trial(9000, { system: "etcd" })], null],
] as const)("a system that %s", (_, results, expected) => {
  expect(summarizeFaults(results).map(meetsTarget)).toEqual([expected]);
});

test("the table has a row for each system, with RaftKV's targets and whether they are met", () => {
  expect(formatFailover(summarizeFaults([...hundredth, ...etcd]), []).slice(0, 4)).toEqual([
    "fault  system  trials  failed  min ms  p50 ms  p90 ms  p99 ms  first p50  both p50  both p99  silence p50  silence p99  target p50  p99  met",
    "kill   raftkv      30       0     101     115     127     130       57.5       117       132          116          131         150  500  yes",
    "       etcd         2       0   1,200   1,200   2,400   2,400        600     1,202     2,402        1,201        2,401",
    "",
  ]);
});

test("a trial that went wrong has a line that says how, and no figures", () => {
  const failed = trial(null, { trial: 7, problems: ["the leader had changed before the signal"] });
  const lines = formatFailover(summarizeFaults([failed]), [failed]);
  expect(lines[1]).toMatch(/^kill {3}raftkv {7}1 {7}1 {7}- .* NO$/);
  expect(lines.slice(-2)).toEqual(["! These trials went wrong:", "  raftkv kill, trial 7: the leader had changed before the signal"]);
});

test("wrong writes are told after what was read, the first twenty of them", () => {
  expect(formatWrites(new Map([["raftkv", 12_345]]), [])).toEqual([
    "raftkv: 12,345 acknowledged puts were read back from each member, none is missing",
  ]);
  const wrong = Array.from({ length: 30 }, (_, number) => `raftkv m1 lost put ${number}, trial 1`);
  const lines = formatWrites(new Map([["raftkv", 30]]), wrong);
  expect(lines.slice(0, 3)).toEqual([
    "raftkv: 30 acknowledged puts were read back from each member",
    "! 30 WRITES ARE WRONG:",
    "  raftkv m1 lost put 0, trial 1",
  ]);
  expect(lines).toHaveLength(22);
});
