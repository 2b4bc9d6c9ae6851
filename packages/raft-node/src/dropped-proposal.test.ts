import type { ProposeDropped } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { meaningOf } from "./dropped-proposal.ts";

test.each<[ProposeDropped]>([["no_leader"], ["transfer_in_progress"]])("what was dropped with %s waits for a leader", (reason) => {
  expect(meaningOf(reason)).toBe("wait");
});

test.each<[ProposeDropped, string]>([
  ["not_forwarded", "ERR_NO_LEADER"],
  ["removed", "ERR_REMOVED"],
  ["quota", "ERR_OVERLOADED"],
  ["quarantined", "ERR_QUARANTINED"],
])("what was dropped with %s fails with %s and was certainly not applied", (reason, code) => {
  expect(meaningOf(reason)).toMatchObject({ error: { code, retryable: "safe" }, refusal: null });
});

test.each<[ProposeDropped, RegExp]>([
  ["conf_pending", /another change is not applied/],
  ["conf_joint", /has to be left first/],
  ["conf_not_joint", /no joint configuration/],
  ["barrier", /leader is new/],
  ["conf_invalid", /would leave no voters/],
  ["learner_behind", /too far behind/],
])("a change that was dropped with %s is refused for that reason", (reason, sentence) => {
  expect(meaningOf(reason)).toMatchObject({ error: { code: "ERR_REFUSED", message: expect.stringMatching(sentence) }, refusal: reason });
});
