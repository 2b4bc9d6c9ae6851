import { describe, expect, test } from "vitest";
import { encodeChange } from "../../membership/change-codec.ts";
import { EMPTY_CONFIGURATION, votersOnly } from "../../membership/configuration.ts";
import { payload } from "../../testing/test-cluster.ts";
import type { LogEntry } from "../../types.ts";
import { type AnyMessage, responsesToAppend, responsesToApply, type StorageAppend } from "../local-messages.ts";
import { oldStyleChange } from "../old-style-change.ts";
import { messageText } from "./message-text.ts";

function entry(index: number, text: string): LogEntry {
  return { index, term: 2, kind: "command", data: payload(text) };
}

const context = new Uint8Array(0);
const link = { from: 10, to: 2, term: 3 } as const;
const append = { ...link, type: "appendEntries", prevIndex: 6, prevTerm: 2 } as const;
const snapshot = { index: 9, term: 2, configuration: { ...EMPTY_CONFIGURATION, voters: [3, 1], learners: [10] } };

describe("a message between members", () => {
  test.each<readonly [AnyMessage, string]>([
    [{ ...link, type: "requestPreVote", lastIndex: 5, lastTerm: 2, priority: 0 }, "a->2 MsgPreVote Term:3 Log:2/5"],
    [{ ...link, type: "requestVote", lastIndex: 5, lastTerm: 2, priority: 0, isTransfer: true }, "a->2 MsgVote Term:3 Log:2/5"],
    [{ ...link, type: "requestPreVoteResponse", granted: true }, "a->2 MsgPreVoteResp Term:3 Log:0/0"],
    [{ ...link, type: "requestVoteResponse", granted: false }, "a->2 MsgVoteResp Term:3 Log:0/0 Rejected (Hint: 0)"],
    [
      { ...link, type: "appendEntriesResponse", index: 7, rejected: true, hintIndex: 4, hintTerm: 1 },
      "a->2 MsgAppResp Term:3 Log:1/7 Rejected (Hint: 4)",
    ],
    [{ ...link, type: "appendEntriesResponse", index: 7, rejected: false, hintIndex: 0, hintTerm: 0 }, "a->2 MsgAppResp Term:3 Log:0/7"],
    [{ ...link, type: "heartbeat", commit: 0, readPosition: 4 }, "a->2 MsgHeartbeat Term:3 Log:0/0"],
    [{ ...link, type: "heartbeat", commit: 8, readPosition: 0 }, "a->2 MsgHeartbeat Term:3 Log:0/0 Commit:8"],
    [{ ...link, type: "heartbeatResponse", readPosition: 4 }, "a->2 MsgHeartbeatResp Term:3 Log:0/0"],
    [{ ...link, type: "timeoutNow", isResigning: false }, "a->2 MsgTimeoutNow Term:3 Log:0/0"],
    [{ ...link, type: "transferLeadership", target: 11 }, "b->2 MsgTransferLeader Term:3 Log:0/0"],
    [{ from: 1, to: 2, type: "readIndexRequest", requestId: 5 }, "1->2 MsgReadIndex Term:0 Log:0/0"],
    [{ from: 1, to: 2, type: "readIndexResponse", requestId: 5, index: 7 }, "1->2 MsgReadIndexResp Term:0 Log:0/7"],
    [
      { from: 1, to: 2, type: "forwardPropose", kind: "command", payloads: [payload("x")] },
      '1->2 MsgProp Term:0 Log:0/0 Entries:[0/0 EntryNormal "x"]',
    ],
    [{ from: 1, to: 0, type: "forwardPropose", kind: "command", payloads: [] }, "1->None MsgProp Term:0 Log:0/0"],
    [{ ...append, commit: 0, entries: [] }, "a->2 MsgApp Term:3 Log:2/6"],
    [
      { ...append, commit: 4, entries: [entry(7, ""), entry(8, "x")] },
      'a->2 MsgApp Term:3 Log:2/6 Commit:4 Entries:[\n  2/7 EntryNormal ""\n  2/8 EntryNormal "x"\n]',
    ],
    [
      { ...link, type: "installSnapshot", snapshot },
      "a->2 MsgSnap Term:3 Log:0/0\n  Snapshot: Index:9 Term:2 ConfState:Voters:[3 1] VotersOutgoing:[] Learners:[10] LearnersNext:[] AutoLeave:false",
    ],
  ])("%j", (message, expected) => {
    expect(messageText(message)).toBe(expected);
  });

  test("shows the operations of a change of members", () => {
    const changes = [
      oldStyleChange({ type: "remove", id: 4 }),
      {
        transition: "auto",
        operations: [
          { type: "addVoter", id: 12 },
          { type: "update", id: 1 },
        ],
        context,
      } as const,
      { transition: "auto", operations: [], context } as const,
    ];
    const entries = changes.map(
      (change, place) => ({ index: 7 + place, term: 2, kind: "configuration", data: encodeChange(change) }) as const,
    );
    const lines = [
      "a->2 MsgApp Term:3 Log:2/6 Entries:[",
      "  2/7 EntryConfChange r4",
      "  2/8 EntryConfChangeV2 v12 u1",
      "  2/9 EntryConfChangeV2",
      "]",
    ];
    expect(messageText({ ...append, commit: 0, entries })).toBe(lines.join("\n"));
  });
});

describe("a message to the own storage", () => {
  const acknowledges = { term: 3, lastIndex: 8, lastTerm: 2, snapshot: null };
  const work: StorageAppend = {
    type: "storageAppend",
    from: 10,
    job: {
      hardState: { term: 3, vote: 0, commit: 5 },
      entries: [entry(7, "x"), entry(8, "y")],
      snapshot: null,
      messages: [{ ...link, type: "requestVoteResponse", granted: true }],
      mustSync: true,
      acknowledges,
    },
  };

  test("has the hard state in its fields and what follows as responses", () => {
    const lines = [
      "a->AppendThread MsgStorageAppend Term:3 Log:0/0 Commit:5 Entries:[",
      '  2/7 EntryNormal "x"',
      '  2/8 EntryNormal "y"',
      "] Responses:[",
      "  a->2 MsgVoteResp Term:3 Log:0/0",
      "  AppendThread->a MsgStorageAppendResp Term:3 Log:2/8",
      "]",
    ];
    expect(messageText(work, responsesToAppend(work))).toBe(lines.join("\n"));
    expect(messageText(work)).toBe(`${lines.slice(0, 3).join("\n")}\n]`);
  });

  test("has neither hard state nor acknowledgement if there is nothing new", () => {
    const idle: StorageAppend = { ...work, job: { ...work.job, hardState: null, entries: [], acknowledges: null } };
    const expected = "a->AppendThread MsgStorageAppend Term:0 Log:0/0 Responses:[\n  a->2 MsgVoteResp Term:3 Log:0/0\n]";
    expect(messageText(idle, responsesToAppend(idle))).toBe(expected);
  });

  test("carries a snapshot there and back", () => {
    const received = { index: 9, term: 2, configuration: votersOnly([1]) };
    const job = {
      ...work.job,
      hardState: null,
      entries: [],
      messages: [],
      snapshot: received,
      acknowledges: { ...acknowledges, snapshot: received },
    };
    const restoring: StorageAppend = { ...work, job };
    const text = "Snapshot: Index:9 Term:2 ConfState:Voters:[1] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false";
    const lines = [
      "a->AppendThread MsgStorageAppend Term:0 Log:0/0",
      `  ${text} Responses:[`,
      "  AppendThread->a MsgStorageAppendResp Term:3 Log:2/8",
      `    ${text}`,
      "]",
    ];
    expect(messageText(restoring, responsesToAppend(restoring))).toBe(lines.join("\n"));
  });

  test("repeats what is to be applied when it is done", () => {
    const apply = { type: "storageApply", from: 1, job: { entries: [entry(7, "x")] } } as const;
    const entries = 'Entries:[2/7 EntryNormal "x"]';
    expect(messageText(apply, responsesToApply(apply))).toBe(
      `1->ApplyThread MsgStorageApply Term:0 Log:0/0 ${entries} Responses:[\n  ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 ${entries}\n]`,
    );
  });
});
