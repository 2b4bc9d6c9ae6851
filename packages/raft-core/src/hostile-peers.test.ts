import fc from "fast-check";
import { expect, test } from "vitest";
import { HostileRun, hostileEvent, hostileStart } from "./testing/hostile-run.ts";
import type { RoleName, StepRejection } from "./types.ts";

const RUNS = 2000;

const ROLES: readonly RoleName[] = ["follower", "preCandidate", "candidate", "leader"];
const OUTCOMES: readonly (StepRejection | "taken")[] = [
  "taken",
  "malformed",
  "misaddressed",
  "term_jump",
  "second_leader",
  "conflicts_with_committed",
  "commit_beyond_log",
  "index_beyond_log",
  "read_beyond_issued",
];

test("no message of any peer stops a member, takes back a vote, a term or what is committed, or has an effect when it is refused", () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(hostileStart, fc.array(hostileEvent, { maxLength: 60, size: "max" }), (start, events) => {
      for (const { role, outcome } of new HostileRun(start).play(events)) met.add(role).add(outcome);
    }),
    { numRuns: RUNS },
  );
  expect([...met].sort()).toEqual([...ROLES, ...OUTCOMES].sort());
});
