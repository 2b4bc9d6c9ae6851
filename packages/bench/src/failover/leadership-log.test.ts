import { expect, test } from "vitest";
import { LeadershipLog } from "./leadership-log.ts";
import { formatSteady } from "./steady-report.ts";

function status(term: bigint, isLeader = false) {
  return { isLeader, term, committedIndex: 9n, appliedIndex: 9n };
}

const load = {
  answers: 30_000,
  durationMs: 1000,
  ratePerSecond: 30_000,
  longestGapMs: 12.5,
  errors: new Map(),
  p50Ms: 3,
  p99Ms: 9,
  maxMs: 20,
};

test("one leader in one term is no change", () => {
  const log = new LeadershipLog();
  for (let look = 0; look < 3; look++) {
    log.note({ member: "m1", status: status(2n) });
    log.note({ member: "m2", status: status(2n, true) });
  }
  log.note({ member: "m3", status: null });
  expect([log.changes, log.leaders, log.looks, log.unanswered]).toEqual([0, ["m2, term 2"], 7, 1]);
  expect(formatSteady(load, log)).toEqual([
    "puts     30,000 puts/s for 1.00 s; p50 3.00 ms, p99 9.00 ms, max 20.0 ms",
    "silence  12.5 ms was the longest time without an acknowledgement",
    "leader   never changed: m2, term 2; 7 looks at members, 1 not answered",
  ]);
});

test("every term that passed counts, also if nobody was seen to lead in it", () => {
  const log = new LeadershipLog();
  log.note({ member: "m1", status: status(2n, true) });
  log.note({ member: "m2", status: status(4n) });
  log.note({ member: "m3", status: status(3n) });
  log.note({ member: "m2", status: status(5n, true) });
  expect([log.changes, log.leaders]).toEqual([3, ["m1, term 2", "m2, term 5"]]);
  const errors = new Map([["UNAVAILABLE etcdserver: leader changed", 1200]]);
  expect(formatSteady({ ...load, errors }, log).slice(2)).toEqual([
    "leader   CHANGED 3 times: m1, term 2; m2, term 5; 4 looks at members, 0 not answered",
    "!        1,200 times UNAVAILABLE etcdserver: leader changed",
  ]);
});
