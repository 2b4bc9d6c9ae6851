import { expect, test } from "vitest";
import { votersOnly } from "../../membership/configuration.ts";
import { entriesOf } from "../../testing/test-cluster.ts";
import { configurationText } from "./configuration-text.ts";
import { peerText } from "./peer-text.ts";
import { quotedText } from "./quoted-text.ts";
import { type ReadyView, readyText } from "./ready-text.ts";

const nothing: ReadyView = { mustSync: false, softState: null, hardState: null, entries: [], snapshot: null, committed: [], messages: [] };

test("a Ready without parts says so, without a newline", () => {
  expect(readyText(nothing)).toBe("<empty Ready>");
});

test("a Ready has its parts one below the other", () => {
  const ready: ReadyView = {
    mustSync: true,
    softState: { role: "preCandidate", leader: 0 },
    hardState: { term: 2, vote: 3, commit: 0 },
    entries: entriesOf([1], 5).map((entry) => ({ ...entry, data: new Uint8Array(0) })),
    snapshot: { index: 4, term: 1, configuration: votersOnly([1, 2]) },
    committed: entriesOf([1], 4).map((entry) => ({ ...entry, data: Uint8Array.of(0x41) })),
    messages: ["1->2 first", "1->3 second"],
  };
  expect(readyText(ready)).toBe(`Ready MustSync=true:
Lead:0 State:StatePreCandidate
HardState Term:2 Vote:3 Commit:0
Entries:
1/5 EntryNormal ""
Snapshot Index:4 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false
CommittedEntries:
1/4 EntryNormal "A"
Messages:
1->2 first
1->3 second
`);
  expect(readyText({ ...nothing, hardState: { term: 2, vote: 0, commit: 7 } })).toBe("Ready MustSync=false:\nHardState Term:2 Commit:7\n");
});

test("a configuration shows what it has", () => {
  expect(configurationText({ voters: [], outgoing: [], learners: [], learnersNext: [], autoLeave: false })).toBe("voters=()");
  expect(configurationText({ voters: [1, 10], outgoing: [2, 3], learners: [4], learnersNext: [3], autoLeave: true })).toBe(
    "voters=(1 a)&&(2 3) learners=(4) learners_next=(3) autoleave",
  );
});

test("a peer shows what hinders it", () => {
  const peer = {
    id: 2,
    state: "replicate",
    match: 3,
    next: 6,
    isLearner: false,
    isPaused: false,
    pendingSnapshot: 0,
    isActive: true,
    isDistrusted: false,
    isUnderRepair: false,
    inflightMessages: 0,
    inflightBytes: 0,
    isInflightFull: false,
  } as const;
  expect(peerText(peer)).toBe("StateReplicate match=3 next=6");
  expect(peerText({ ...peer, inflightMessages: 2, isPaused: true, isInflightFull: true })).toBe(
    "StateReplicate match=3 next=6 paused inflight=2[full]",
  );
  expect(peerText({ ...peer, state: "snapshot", isLearner: true, isPaused: true, pendingSnapshot: 5, isActive: false })).toBe(
    "StateSnapshot match=3 next=6 learner paused pendingSnap=5 inactive",
  );
});

test.each([
  ["plain text", '"plain text"'],
  ['"quoted" \\', '"\\"quoted\\" \\\\"'],
  ["a\u0007\b\f\n\r\t\v", '"a\\a\\b\\f\\n\\r\\t\\v"'],
  ["\u0000\u001b\u007f", '"\\x00\\x1b\\x7f"'],
  ["grün ∞ 𝄞", '"grün ∞ 𝄞"'],
  ["\u00a0\u200b\u{e0001}", '"\\u00a0\\u200b\\U000e0001"'],
])("%j is quoted", (text, expected) => {
  expect(quotedText(new TextEncoder().encode(text))).toBe(expected);
});
