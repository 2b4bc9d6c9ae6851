import { type CoreEvent, votersOnly } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { CoreEventLog } from "./core-event-log.ts";
import type { LogFields } from "./ports.ts";

function written(event: CoreEvent): readonly [string, string, LogFields | undefined][] {
  const lines: [string, string, LogFields | undefined][] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void lines.push([level, message, fields]);
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  new CoreEventLog({ logger, nameOf: (id) => `n${id}` }).write(event);
  return lines;
}

const request = { type: "requestPreVote", from: 2, to: 1, term: 4, lastIndex: 9, lastTerm: 3, priority: 0 } as const;

test.each<[CoreEvent, string, string, LogFields]>([
  [{ type: "roleEntered", role: "leader", term: 4 }, "info", "changed its role", { role: "leader", term: 4 }],
  [
    { type: "leaderSuspected", leader: 3, cause: "silence" },
    "info",
    "suspects that the leader is gone",
    { leader: "n3", cause: "silence" },
  ],
  [
    { type: "voteCast", request, ownTerm: 3, vote: 0, lastIndex: 9, lastTerm: 3 },
    "info",
    "gave a vote",
    { kind: "pre-vote", candidate: "n2", term: 4, ownTerm: 3 },
  ],
  [{ type: "quorumLost", term: 4 }, "warn", "heard no majority for an election time-out", { term: 4 }],
  [
    { type: "configurationSwitched", configuration: { ...votersOnly([1, 2]), learners: [3] } },
    "info",
    "changed the members",
    { voters: ["n1", "n2"], outgoing: [], learners: ["n3"] },
  ],
  [
    { type: "transferEnded", target: 2, result: "timeout", term: 4 },
    "info",
    "ended handing leadership over",
    { to: "n2", result: "timeout", term: 4 },
  ],
  [
    { type: "repairTargeted", leader: 2, target: 90 },
    "info",
    "knows up to where it needs the leader's log again",
    { leader: "n2", target: 90 },
  ],
])("writes down what an operator wants to know, %j", (event, level, message, fields) => {
  expect(written(event)).toEqual([[level, message, fields]]);
});

test("a member that can't trust its data says so as an error, with the evidence", () => {
  const evidence = { kind: "commit_beyond_log", commit: 9, lastIndex: 4, from: 2 } as const;
  expect(written({ type: "quarantined", evidence })).toMatchObject([["error", expect.any(String), { evidence }]]);
});

test("what happens all the time is not written down", () => {
  expect(written({ type: "readDropped", term: 4 })).toEqual([]);
  expect(written({ type: "peerUnknown", from: 2 })).toEqual([]);
});
