import { describe, expect, test } from "vitest";
import { acceptances, peerStatus, soloLeader } from "../testing/solo-leader.ts";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeat,
  heartbeatAnswer,
  ofType,
  refuse,
  soloMember,
  termsOf,
} from "../testing/solo-member.ts";
import { entriesOf, payload, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** What other implementations got wrong about replication and commit, as reported in their issue trackers and in papers. */

/** What is handed out for applying by the next Ready. */
function nextApplied(member: TestMember): readonly number[] {
  return termsOf(member.collect()?.apply?.entries ?? []);
}

test("P11: copies of an older term's entry on a majority commit nothing until an entry of the leader's own term does", () => {
  const member = soloMember({ size: 5, terms: [1, 2] });
  becomeLeader(member);
  exchange(member, ...[2, 3, 4, 5].map((from) => accept(from, { term: 3, index: 2 })));
  expect(member.core.commit).toBe(0);
  exchange(member, accept(2, { term: 3, index: 3 }), accept(3, { term: 3, index: 3 }));
  expect(member.core.commit).toBe(3);
});

describe("P12: a follower never commits a suffix that this leader did not confirm", () => {
  const suffixOfDeposedLeader = { size: 3, terms: [1, 1, 2, 2] };

  test.each([
    { entries: "no entries", terms: [], commit: 2 },
    { entries: "an entry that it has", terms: [1], commit: 2, prevIndex: 1 },
    { entries: "one new entry", terms: [3], commit: 3 },
  ])("P12: on an append with $entries that names a later commit index", ({ terms, commit, prevIndex = 2 }) => {
    const member = soloMember(suffixOfDeposedLeader);
    const answers = exchange(member, append(2, { term: 3, prevIndex, prevTerm: 1, terms, commit: 4 }));
    expect(answers).toMatchObject([{ index: prevIndex + terms.length, rejected: false }]);
    expect(member.core.commit).toBe(commit);
  });

  test("P12: nor answers for it, so that no leader counts it", () => {
    const member = soloMember(suffixOfDeposedLeader);
    expect(exchange(member, append(2, { term: 3, prevIndex: 1, prevTerm: 1 }))).toMatchObject([{ index: 1 }]);
  });
});

test("P13: a late append that is a prefix of the log removes nothing", () => {
  const member = soloMember({ size: 3, term: 1 });
  exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1, 1] }));
  const answers = exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] }));
  expect(answers).toMatchObject([{ index: 1, rejected: false }]);
  expect(member.disk.lastIndex).toBe(3);
});

test("P13: a stale rejection moves neither match nor what is sent next", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1] });
  becomeLeader(member);
  exchange(member, accept(2, { term: 2, index: 4 }));
  exchange(member, refuse(2, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }));
  expect(peerStatus(member, 2)).toMatchObject({ state: "replicate", match: 4, next: 5 });
});

test("P13: an append that reaches into what is committed is answered by the commit index, without a look at the rest", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 2 });
  const answers = exchange(member, append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [1, 2] }));
  expect(answers).toMatchObject([{ index: 2, rejected: false }]);
  expect(termsOf(member.disk.entries)).toEqual([1, 1, 1]);
  exchange(member, append(2, { term: 2, prevIndex: 2, prevTerm: 1, terms: [2] }));
  expect(termsOf(member.disk.entries)).toEqual([1, 1, 2]);
});

test.each([
  ["with a gap", { ...append(2, { term: 3, prevIndex: 0, prevTerm: 0 }), entries: entriesOf([3, 3], 2) }],
  ["whose terms go down", append(2, { term: 3, prevIndex: 0, prevTerm: 0, terms: [3, 2] })],
  ["of a later term than the message", append(2, { term: 3, prevIndex: 0, prevTerm: 0, terms: [4] })],
] as const)("P14: entries %s are refused and change nothing", (_, message) => {
  const member = soloMember({ size: 3, term: 1 });
  expect(member.core.step(message)).toBe("malformed");
  expect(member.core.status()).toMatchObject({ term: 1, lastIndex: 0 });
});

test("P15: an append that contradicts a committed entry removes nothing and takes the member out", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 2 });
  expect(member.core.step(append(2, { term: 2, prevIndex: 2, prevTerm: 2, terms: [2] }))).toBe("conflicts_with_committed");
  expect(member.core.quarantineEvidence).toMatchObject({ kind: "conflicts_with_committed", index: 2, from: 2 });
  expect(drain(member)).toEqual([]);
  expect(termsOf(member.disk.entries)).toEqual([1, 1, 1]);
});

/** The driver knows a store by its id: "keeps the store id it was made with" in packages/log-store, and tests/e2e/membership-guard.long.test.ts. */
describe("P16: a follower that came back with an older disk", () => {
  test("P16: notices that it lacks what it acknowledged, and answers nothing", () => {
    const member = soloMember({ size: 3, terms: [1] });
    expect(member.core.step(heartbeat(2, { term: 1, commit: 3 }))).toBe("commit_beyond_log");
    expect(member.core.quarantineEvidence).toEqual({ kind: "commit_beyond_log", commit: 3, lastIndex: 1, from: 2 });
    expect(drain(member)).toEqual([]);
  });

  test("P16: is not counted by the leader that was told, whatever late answers say", () => {
    const member = soloMember({ size: 5, term: 1 });
    becomeLeader(member);
    exchange(member, accept(2, { term: 2, index: 1 }));
    member.core.peerLostStore(2);
    exchange(member, accept(3, { term: 2, index: 1 }), accept(2, { term: 2, index: 1 }));
    expect([member.core.commit, peerStatus(member, 2).isDistrusted]).toEqual([0, true]);
    exchange(member, accept(4, { term: 2, index: 1 }));
    expect(member.core.commit).toBe(1);
  });

  test("P16: does not confirm reads either: it may have forgotten a vote for a later leader", () => {
    const member = soloLeader({ size: 3, term: 1 });
    member.core.peerLostStore(2);
    member.core.readIndex(7);
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 2, readPosition: 1 }));
    expect(member.reads).toEqual([]);
    exchange(member, heartbeatAnswer(3, { term: 2, readPosition: 1 }));
    expect(member.reads).toEqual([{ requestId: 7, index: 1 }]);
  });
});

describe("P17: a write that finishes after its entries were replaced (ABA)", () => {
  test("P17: does not make those of a later term durable", () => {
    const member = soloMember({ size: 3, terms: [1] });
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2] }));
    member.collect();
    member.core.step(append(3, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3, 3] }));
    member.core.step(append(2, { term: 4, prevIndex: 1, prevTerm: 1, terms: [4, 4], commit: 3 }));
    expect(nextApplied(member)).toEqual([1]);
    member.write();
    expect(nextApplied(member)).toEqual([]);
    member.write();
    expect(nextApplied(member)).toEqual([4, 4]);
  });

  test("P17: does not, if it was handed out in the term that replaced them", () => {
    const member = soloMember({ size: 3, terms: [1] });
    member.core.step(append(2, { term: 1, prevIndex: 1, prevTerm: 1, terms: [1, 1] }));
    member.core.step(heartbeat(3, { term: 2 }));
    expect(member.collect()?.append?.acknowledges).toEqual({ term: 2, lastIndex: 3, lastTerm: 1, snapshot: null });
    member.core.step(append(3, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2], commit: 3 }));
    expect(nextApplied(member)).toEqual([1]);
    member.write();
    expect(nextApplied(member)).toEqual([]);
    member.write();
    expect(nextApplied(member)).toEqual([2, 2]);
  });

  test("P17: does not, even if the new entries end alike", () => {
    const member = soloMember({ size: 3, terms: [1], term: 3 });
    member.core.step(append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [2, 3] }));
    member.collect();
    member.core.step(append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3, 3], commit: 3 }));
    member.write();
    expect(nextApplied(member)).toEqual([1]);
    member.write();
    expect(nextApplied(member)).toEqual([3, 3]);
  });

  test("P17: leaves entries that replace durable ones undurable until they are written", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1] });
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2], commit: 3 }));
    expect(nextApplied(member)).toEqual([1]);
    member.write();
    expect(nextApplied(member)).toEqual([2, 2]);
  });
});

test("P18: a full window whose messages were all lost is reopened by heartbeats", () => {
  const cluster = new TestCluster({ size: 3, options: { inflightMessagesMax: 3 } });
  cluster.elect(1);
  cluster.passes = (message) => message.type !== "appendEntries";
  for (let i = 0; i < 10; i++) cluster.propose(1, `entry ${i}`);
  expect(cluster.member(2).core.lastIndex).toBe(1);
  cluster.heal();
  cluster.tick(1);
  cluster.settle();
  expect(cluster.members.map((member) => member.core.commit)).toEqual([11, 11, 11]);
});

test("P18: the window gives back every byte that it took", () => {
  const member = soloLeader({ size: 3, options: { appendBytesMax: 10, inflightBytesMax: 30 } });
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 5; i++) member.core.propose([new Uint8Array(7)]);
    drain(member);
    while (member.core.commit < member.core.lastIndex) {
      const inflight = peerStatus(member, 2).inflightMessages;
      exchange(member, accept(2, { term: 1, index: peerStatus(member, 2).match + inflight }));
    }
    expect(peerStatus(member, 2)).toMatchObject({ inflightMessages: 0, inflightBytes: 0 });
  }
});

test("P18: the quota is exact: it comes back for applied entries of this term, and for nothing else", () => {
  const member = soloMember({ size: 3, terms: [1, 1], options: { uncommittedBytesMax: 10 } });
  becomeLeader(member);
  expect(member.core.propose([new Uint8Array(50)]).outcome).toBe("accepted");
  expect(member.core.propose([new Uint8Array(1)])).toEqual({ outcome: "dropped", reason: "quota" });
  expect(member.core.propose([new Uint8Array(0)]).outcome).toBe("accepted");
  drain(member);
  exchange(member, accept(2, { term: 2, index: 5 }));
  expect([member.stateIndex, member.core.status().uncommittedBytes]).toEqual([5, 0]);
  expect(member.core.propose([new Uint8Array(6), new Uint8Array(4)]).outcome).toBe("accepted");
  expect(member.core.propose([payload("x")])).toEqual({ outcome: "dropped", reason: "quota" });
  exchange(member, ...acceptances(member));
  expect(member.core.propose([new Uint8Array(10)]).outcome).toBe("accepted");
});

test("P19: a follower cut by a long divergent tail is repaired in about one question per term", () => {
  const shared = Array.from({ length: 10 }, () => 1);
  const own = [...shared, ...Array.from({ length: 200 }, (_, place) => (place < 100 ? 4 : 6))];
  const other = [...shared, ...Array.from({ length: 200 }, (_, place) => (place < 100 ? 3 : 5))];
  const cluster = new TestCluster({ size: 3, terms: { 1: own, 2: other }, term: 6 });
  cluster.elect(1);
  expect(cluster.member(2).disk.entries).toEqual(cluster.member(1).disk.entries);
  const refusals = cluster.sent.filter((message) => message.type === "appendEntriesResponse" && message.from === 2 && message.rejected);
  expect(refusals.length).toBeLessThanOrEqual(5);
});

test("P20: a heartbeat carries no more commit than the follower is known to hold", () => {
  const member = soloMember({ size: 3, terms: [1, 1] });
  becomeLeader(member);
  exchange(member, accept(2, { term: 2, index: 3 }));
  member.core.tick();
  expect(ofType(drain(member), "heartbeat").map((message) => [message.to, message.commit])).toEqual([
    [2, 3],
    [3, 0],
  ]);
});

test("P20: heartbeats commit forward only", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 2 });
  exchange(member, heartbeat(2, { term: 1, commit: 1 }), heartbeat(2, { term: 1, commit: 3 }), heartbeat(2, { term: 1, commit: 2 }));
  expect(member.core.commit).toBe(3);
});
