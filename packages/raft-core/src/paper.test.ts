import { describe, expect, test } from "vitest";
import type { PeerMessage } from "./messages.ts";
import type { CoreOptions } from "./options.ts";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeat,
  ofType,
  type SoloSetup,
  soloMember,
  termsOf,
  vote,
  voteRequest,
} from "./testing/solo-member.ts";
import { type ClusterSetup, ELECTION_TICKS, entriesOf, payload, TestCluster } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";

/**
 * One test per claim of the Raft paper ("In Search of an Understandable Consensus Algorithm", extended version). It knows neither
 * pre-votes nor leaders that step down without a quorum.
 */
const AS_IN_THE_PAPER: Partial<CoreOptions> = { preVote: false, checkQuorum: false };

function paperMember(setup: SoloSetup): TestMember {
  return soloMember({ ...setup, options: { ...AS_IN_THE_PAPER, ...setup.options } });
}

function paperCluster(setup: ClusterSetup): TestCluster {
  return new TestCluster({ ...setup, options: AS_IN_THE_PAPER });
}

function candidate(size = 3): TestMember {
  const member = paperMember({ size, term: 1 });
  member.core.campaign();
  drain(member);
  return member;
}

function leader(size = 3): TestMember {
  const member = paperMember({ size, term: 1 });
  becomeLeader(member);
  return member;
}

function ticksUntilCandidate(member: TestMember): number {
  const term = member.core.term;
  for (let ticks = 1; ticks <= 3 * ELECTION_TICKS; ticks++) {
    member.core.tick();
    if (member.core.term > term) return ticks;
  }
  throw new Error("The member never timed out");
}

describe("5.1 terms", () => {
  test.each([
    ["follower", () => paperMember({ size: 3, term: 1 })],
    ["candidate", candidate],
    ["leader", leader],
  ] as const)("a %s adopts a higher term from any message and follows", (_, make) => {
    const later: readonly PeerMessage[] = [
      append(2, { term: 9, prevIndex: 0, prevTerm: 0 }),
      heartbeat(2, { term: 9 }),
      voteRequest(2, { term: 9, lastIndex: 0, lastTerm: 0 }),
      vote(2, { term: 9 }),
      accept(2, { term: 9, index: 0 }),
    ];
    for (const message of later) {
      const member = make();
      exchange(member, message);
      expect(member.core.role).toBe("follower");
      expect(member.core.term).toBe(9);
      expect(member.diskHardState.term).toBe(9);
    }
  });

  test("a message of an older term reaches no role", () => {
    const member = leader(5);
    const before = member.core.status();
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] }), vote(3, { term: 1 }), accept(4, { term: 1, index: 1 }));
    expect(member.core.status()).toEqual(before);
  });
});

describe("5.2 leader election", () => {
  test("a member starts as follower", () => {
    expect(paperMember({ size: 3 }).core.role).toBe("follower");
  });

  test("a leader sends a heartbeat without entries to all others every interval", () => {
    const member = paperMember({ size: 3, options: { heartbeatTicks: 2 } });
    becomeLeader(member);
    member.core.tick();
    expect(drain(member)).toEqual([]);
    member.core.tick();
    expect(drain(member).map((message) => [message.type, message.to])).toEqual([
      ["heartbeat", 2],
      ["heartbeat", 3],
    ]);
  });

  test.each(["follower", "candidate"] as const)("a %s without a leader for a time-out begins a term and asks all others", (role) => {
    const member = role === "follower" ? paperMember({ size: 3, term: 1 }) : candidate();
    const term = member.core.term;
    ticksUntilCandidate(member);
    const requests = ofType(drain(member), "requestVote");
    expect(member.core.role).toBe("candidate");
    expect(member.diskHardState).toMatchObject({ term: term + 1, vote: 1 });
    expect(requests.map((request) => [request.to, request.term])).toEqual([
      [2, term + 1],
      [3, term + 1],
    ]);
  });

  test.each([
    [1, [], [], "leader"],
    [3, [2, 3], [], "leader"],
    [3, [2], [], "leader"],
    [3, [2], [3], "leader"],
    [3, [], [], "candidate"],
    [3, [], [2], "candidate"],
    [3, [], [2, 3], "follower"],
    [5, [2, 3, 4, 5], [], "leader"],
    [5, [2, 3], [], "leader"],
    [5, [2, 3], [4, 5], "leader"],
    [5, [2], [3, 4], "candidate"],
    [5, [2], [3, 4, 5], "follower"],
    [5, [], [2, 3, 4], "follower"],
  ] as const)("of %i members, votes of %j and refusals of %j make a %s", (size, granting, denying, role) => {
    const member = candidate(size);
    exchange(member, ...denying.map((from) => vote(from, { term: 2, granted: false })), ...granting.map((from) => vote(from, { term: 2 })));
    expect(member.core.role).toBe(role);
    expect(member.core.term).toBe(2);
  });

  test.each([
    [0, 2, true],
    [0, 3, true],
    [2, 2, true],
    [3, 3, true],
    [2, 3, false],
    [3, 2, false],
  ] as const)("after a vote for %i, member %i gets the vote of this term: %s", (given, asking, granted) => {
    const member = paperMember({ size: 3, term: 1, vote: given });
    const answers = exchange(member, voteRequest(asking, { term: 1, lastIndex: 0, lastTerm: 0 }));
    expect(answers).toMatchObject([{ type: "requestVoteResponse", to: asking, term: 1, granted }]);
  });

  test.each([2, 3])("a candidate returns to follower on an append of term %i", (term) => {
    const member = candidate();
    exchange(member, append(2, { term, prevIndex: 0, prevTerm: 0 }));
    expect([member.core.role, member.core.term, member.core.leader]).toEqual(["follower", term, 2]);
  });

  test.each(["follower", "candidate"] as const)("the time-outs of a %s take every value of [ET, 2 ET)", (role) => {
    const seen = new Set<number>();
    for (let seed = 1; seed <= 60; seed++) {
      const member = paperMember({ size: 3, term: 1, seed });
      if (role === "candidate") member.core.campaign();
      seen.add(ticksUntilCandidate(member));
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: ELECTION_TICKS }, (_, place) => ELECTION_TICKS + place));
  });

  test.each(["follower", "candidate"] as const)("five %ss time out at the same tick in at most 30 % of 1000 rounds", (role) => {
    let conflicts = 0;
    for (let round = 0; round < 1000; round++) {
      const cluster = paperCluster({ size: 5, seed: round });
      if (role === "candidate") for (const member of cluster.members) member.core.campaign();
      const ticks = cluster.members.map(ticksUntilCandidate);
      if (ticks.filter((count) => count === Math.min(...ticks)).length > 1) conflicts++;
    }
    expect(conflicts).toBeGreaterThan(0);
    expect(conflicts).toBeLessThanOrEqual(300);
  });
});

describe("5.3 log replication", () => {
  test("a proposal is appended, handed to the disk and sent to all with what comes before it", () => {
    const member = leader();
    exchange(member, accept(2, { term: 2, index: 1 }), accept(3, { term: 2, index: 1 }));
    expect(member.core.propose([payload("x")])).toEqual({ outcome: "accepted", term: 2, firstIndex: 2, lastIndex: 2 });
    const ready = member.collect();
    expect(ready?.append?.entries).toMatchObject([{ index: 2, term: 2, kind: "command" }]);
    expect(ready?.messages).toMatchObject([
      { type: "appendEntries", to: 2, term: 2, prevIndex: 1, prevTerm: 2, commit: 1, entries: [{ index: 2 }] },
      { type: "appendEntries", to: 3, term: 2, prevIndex: 1, prevTerm: 2, commit: 1, entries: [{ index: 2 }] },
    ]);
  });

  test("a replicated entry is committed, applied, and its commit announced", () => {
    const member = leader();
    exchange(member, accept(2, { term: 2, index: 1 }), accept(3, { term: 2, index: 1 }));
    member.core.propose([payload("x")]);
    drain(member);
    const announced = ofType(exchange(member, accept(2, { term: 2, index: 2 })), "appendEntries");
    expect(member.core.commit).toBe(2);
    expect(member.applied.map((entry) => entry.index)).toEqual([1, 2]);
    expect(announced.map((message) => [message.to, message.commit])).toEqual([
      [2, 2],
      [3, 2],
    ]);
  });

  test.each([
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [3, [2, 3], true],
    [5, [], false],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 3, 4], true],
    [5, [2, 3, 4, 5], true],
  ] as const)("of %i members, acknowledgements of %j commit an entry: %s", (size, acknowledging, isCommitted) => {
    const member = leader(size);
    exchange(member, ...acknowledging.map((from) => accept(from, { term: 2, index: 1 })));
    expect(member.core.commit).toBe(isCommitted ? 1 : 0);
  });

  test.each([[[1]], [[1, 1]], [[1, 2]], [[1, 2, 3]]])("committing an entry commits the entries %j of older terms before it", (terms) => {
    const member = paperMember({ size: 3, terms, term: 4 });
    becomeLeader(member);
    exchange(member, accept(2, { term: 5, index: terms.length + 1 }));
    expect(termsOf(member.applied)).toEqual([...terms, 5]);
  });

  test.each([1, 2, 3, 4])("a follower applies exactly up to the announced commit index %i, in order", (commit) => {
    const member = paperMember({ size: 3, term: 1 });
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1, 1, 1], commit }));
    expect(member.applied.map((entry) => entry.index)).toEqual(Array.from({ length: commit }, (_, place) => place + 1));
  });

  test.each([
    { prevTerm: 0, prevIndex: 0, rejected: false, index: 1, hintIndex: 0, hintTerm: 0 },
    { prevTerm: 1, prevIndex: 1, rejected: false, index: 1, hintIndex: 0, hintTerm: 0 },
    { prevTerm: 2, prevIndex: 2, rejected: false, index: 2, hintIndex: 0, hintTerm: 0 },
    { prevTerm: 1, prevIndex: 2, rejected: true, index: 2, hintIndex: 1, hintTerm: 1 },
    { prevTerm: 3, prevIndex: 3, rejected: true, index: 3, hintIndex: 2, hintTerm: 2 },
  ])("a log of terms 1 2 answers an append after index $prevIndex of term $prevTerm", ({ prevTerm, prevIndex, ...answer }) => {
    const member = paperMember({ size: 3, terms: [1, 2], commit: 1 });
    exchange(member, heartbeat(2, { term: 3 }));
    expect(exchange(member, append(2, { term: 3, prevTerm, prevIndex }))).toMatchObject([{ type: "appendEntriesResponse", ...answer }]);
  });

  test.each([
    { prevIndex: 2, prevTerm: 2, terms: [3], log: [1, 2, 3], written: [3] },
    { prevIndex: 1, prevTerm: 1, terms: [3, 4], log: [1, 3, 4], written: [2, 3] },
    { prevIndex: 0, prevTerm: 0, terms: [1], log: [1, 2], written: [] },
    { prevIndex: 0, prevTerm: 0, terms: [3], log: [3], written: [1] },
  ])("after index $prevIndex the entries $terms leave the log $log", ({ prevIndex, prevTerm, terms, log, written }) => {
    const member = paperMember({ size: 3, terms: [1, 2] });
    member.core.step(append(2, { term: 4, prevIndex, prevTerm, terms }));
    expect((member.collect()?.append?.entries ?? []).map((entry) => entry.index)).toEqual(written);
    drain(member);
    expect(termsOf(member.log.entries)).toEqual(log);
    expect(termsOf(member.disk.entries)).toEqual(log);
  });

  test.each([
    ["a", [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ["b", [1, 1, 1, 4]],
    ["c", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ["d", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ["e", [1, 1, 1, 4, 4, 4, 4]],
    ["f", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])("a leader repairs the follower's log %s of figure 7", (_, terms) => {
    const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const cluster = paperCluster({ size: 3, terms: { 1: leaderTerms, 2: terms }, term: 7 });
    cluster.elect(1);
    expect(cluster.member(1).core.role).toBe("leader");
    expect(termsOf(cluster.member(2).log.entries)).toEqual([...leaderTerms, 8]);
    expect(cluster.member(2).disk.entries).toEqual(cluster.member(1).disk.entries);
    expect(cluster.member(2).core.commit).toBe(11);
  });
});

describe("5.4 safety", () => {
  test("a vote request carries the last index and term and goes to all others", () => {
    const member = paperMember({ size: 3, terms: [1, 2] });
    member.core.campaign();
    expect(drain(member)).toMatchObject([
      { type: "requestVote", to: 2, term: 3, lastIndex: 2, lastTerm: 2 },
      { type: "requestVote", to: 3, term: 3, lastIndex: 2, lastTerm: 2 },
    ]);
  });

  test.each([
    { own: [1], lastTerm: 1, lastIndex: 1, granted: true },
    { own: [1], lastTerm: 1, lastIndex: 2, granted: true },
    { own: [1, 1], lastTerm: 1, lastIndex: 1, granted: false },
    { own: [1], lastTerm: 2, lastIndex: 1, granted: true },
    { own: [1], lastTerm: 2, lastIndex: 2, granted: true },
    { own: [1, 1], lastTerm: 2, lastIndex: 1, granted: true },
    { own: [2], lastTerm: 1, lastIndex: 1, granted: false },
    { own: [2], lastTerm: 1, lastIndex: 2, granted: false },
    { own: [2, 2], lastTerm: 1, lastIndex: 1, granted: false },
    { own: [1, 2], lastTerm: 1, lastIndex: 9, granted: false },
  ])("a voter with $own judges a log that ends at $lastIndex of term $lastTerm: $granted", ({ own, lastTerm, lastIndex, granted }) => {
    const member = paperMember({ size: 3, terms: own });
    expect(exchange(member, voteRequest(2, { term: 3, lastIndex, lastTerm }))).toMatchObject([{ granted, term: 3 }]);
  });

  test.each([
    { index: 1, commit: 0 },
    { index: 2, commit: 0 },
    { index: 3, commit: 3 },
  ])("entries of older terms are not committed by counting copies up to $index (figure 8)", ({ index, commit }) => {
    const member = paperMember({ size: 3, terms: [1, 2] });
    becomeLeader(member);
    exchange(member, accept(2, { term: 3, index }));
    expect(member.core.commit).toBe(commit);
  });

  test("an entry of an older term on a majority may still be replaced, and nobody applied it (figure 8)", () => {
    const cluster = paperCluster({ size: 5, terms: { 1: [1, 2], 2: [1, 2], 3: [1], 4: [1], 5: [1, 3] }, term: 3 });
    cluster.isolate(1, 2, 3);
    // The empty entry that opens term 4 is lost everywhere; the entry of term 2 reaches a majority.
    const links = cluster.passes;
    cluster.passes = (message) =>
      links(message) && !(message.type === "appendEntries" && message.entries.some((entry) => entry.term === 4));
    cluster.elect(1);
    cluster.member(3).core.step({ ...append(1, { term: 4, prevIndex: 1, prevTerm: 1 }), to: 3, entries: [...entriesOf([2], 2)] });
    cluster.settle();
    expect(termsOf(cluster.member(3).disk.entries)).toEqual([1, 2]);
    expect(cluster.members.map((member) => member.core.commit)).toEqual([0, 0, 0, 0, 0]);
    cluster.isolate(1);
    cluster.elect(5);
    cluster.elect(5);
    expect(cluster.member(5).core.role).toBe("leader");
    for (const id of [2, 3, 4, 5]) expect(termsOf(cluster.member(id).applied).slice(0, 2)).toEqual([1, 3]);
  });
});
