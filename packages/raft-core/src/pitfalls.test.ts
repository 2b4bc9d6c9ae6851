import { describe, expect, test } from "vitest";
import { RaftCore } from "./raft-core.ts";
import { SeededRandom } from "./testing/seeded-random.ts";
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
  vote,
  voteRequest,
} from "./testing/solo-member.ts";
import { entriesOf, payload, TestCluster } from "./testing/test-cluster.ts";
import type { CoreStart } from "./types.ts";

/** What other implementations got wrong, as reported in their issue trackers and in papers about them. */

describe("elections", () => {
  test("a crash before the vote is durable leaves neither vote nor answer behind", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.step(voteRequest(2, { term: 2, lastIndex: 0, lastTerm: 0 }));
    const ready = member.collect();
    expect(ready?.messages).toEqual([]);
    expect(ready?.append).toMatchObject({ hardState: { term: 2, vote: 2 }, mustSync: true, messages: [{ granted: true }] });
    member.crash(0, true);
    expect(exchange(member, voteRequest(3, { term: 2, lastIndex: 0, lastTerm: 0 }))).toMatchObject([{ to: 3, granted: true }]);
  });

  test("a candidate asks only when its term is durable, so that it never asks twice in one term", () => {
    const member = soloMember({ size: 5, terms: [1, 1] });
    member.core.campaign();
    expect(member.collect()?.messages).toEqual([]);
    expect(ofType(member.write(), "requestVote")).toHaveLength(4);
  });

  test("votes of another term count for nothing, and one refusal is not undone by a grant", () => {
    const member = soloMember({ size: 3, term: 5 });
    member.core.campaign();
    drain(member);
    exchange(member, vote(2, { term: 5 }), vote(2, { term: 6, granted: false }), vote(2, { term: 6 }), vote(9, { term: 6 }));
    expect(member.core.role).toBe("candidate");
  });

  test("an answer from outside the configuration raises no term", () => {
    const member = soloMember({ size: 3, term: 5 });
    exchange(member, vote(9, { term: 8 }), accept(9, { term: 8, index: 1 }), heartbeatAnswer(9, { term: 8 }));
    expect(member.core.term).toBe(5);
  });

  test("the own vote that becomes durable after the election was lost makes no leader", () => {
    const member = soloMember({ size: 1 });
    member.core.campaign();
    member.collect();
    exchange(member, heartbeat(7, { term: 4 }));
    expect(member.core.role).toBe("follower");
  });

  test.each([append(2, { term: 1, prevIndex: 0, prevTerm: 0 }), heartbeat(2, { term: 1 })])(
    "a leader that missed a term is told of it when it sends a message: %#",
    (message) => {
      const member = soloMember({ size: 3, term: 4 });
      const answers = exchange(member, message);
      expect(answers).toMatchObject([{ type: "appendEntriesResponse", to: 2, term: 4, index: 0 }]);
    },
  );

  test("a single voter leads and commits after its own disk, and not before", () => {
    const member = soloMember({ size: 1 });
    member.core.tick();
    expect(member.core.role).toBe("candidate");
    member.collect();
    expect(member.core.role).toBe("candidate");
    member.write();
    expect(member.core.role).toBe("leader");
    member.collect();
    expect(member.core.commit).toBe(0);
    member.write();
    expect(member.core.commit).toBe(1);
    expect(drain(member)).toEqual([]);
    expect(member.applied).toHaveLength(1);
  });

  test("a member that is no voter never campaigns", () => {
    const start: CoreStart = { hardState: { term: 1, vote: 0, commit: 0 }, snapshot: null, entries: [], configuration: { voters: [2] } };
    const core = new RaftCore({ id: 1, electionTicks: 10, heartbeatTicks: 1 }, start, new SeededRandom(1));
    for (let tick = 0; tick < 50; tick++) core.tick();
    core.campaign();
    expect([core.role, core.term]).toEqual(["follower", 1]);
  });
});

describe("replication", () => {
  test("a late append that is a prefix of the log removes nothing", () => {
    const member = soloMember({ size: 3, term: 1 });
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1, 1] }));
    const answers = exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] }));
    expect(answers).toMatchObject([{ index: 1, rejected: false }]);
    expect(member.disk.lastIndex).toBe(3);
  });

  test("a stale rejection moves neither match nor what is sent next", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1] });
    becomeLeader(member);
    exchange(member, accept(2, { term: 2, index: 4 }));
    exchange(member, refuse(2, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }));
    expect(member.core.status().peers[0]).toEqual({ id: 2, state: "replicate", match: 4, next: 5 });
  });

  test("an append that reaches into what is committed is answered by the commit index, without a look at the rest", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 2 });
    const answers = exchange(member, append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [1, 2] }));
    expect(answers).toMatchObject([{ index: 2, rejected: false }]);
    expect(termsOf(member.disk.entries)).toEqual([1, 1, 1]);
    exchange(member, append(2, { term: 2, prevIndex: 2, prevTerm: 1, terms: [2] }));
    expect(termsOf(member.disk.entries)).toEqual([1, 1, 2]);
  });

  test("a write that finishes after its entries were replaced makes the new ones not durable (ABA)", () => {
    const member = soloMember({ size: 3, terms: [1] });
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2] }));
    member.collect();
    member.core.step(append(3, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3, 3] }));
    member.core.step(append(2, { term: 4, prevIndex: 1, prevTerm: 1, terms: [4, 4], commit: 3 }));
    member.collect();
    member.write();
    expect(member.collect()).toBeUndefined();
    member.write();
    expect(termsOf(member.collect()?.apply?.entries ?? [])).toEqual([4, 4]);
  });

  test("a write of the same term that speaks for replaced entries counts for nothing (ABA)", () => {
    const member = soloMember({ size: 3, terms: [1] });
    member.core.step(append(2, { term: 1, prevIndex: 1, prevTerm: 1, terms: [1, 1] }));
    member.core.step(heartbeat(3, { term: 2 }));
    expect(member.collect()?.append?.acknowledges).toEqual({ term: 2, lastIndex: 3, lastTerm: 1 });
    member.core.step(append(3, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2], commit: 3 }));
    member.collect();
    member.write();
    expect(member.collect()).toBeUndefined();
    member.write();
    expect(termsOf(member.collect()?.apply?.entries ?? [])).toEqual([2, 2]);
  });

  test("a write that speaks for replaced entries counts for nothing even if the new ones end alike (ABA)", () => {
    const member = soloMember({ size: 3, terms: [1], term: 3 });
    member.core.step(append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [2, 3] }));
    member.collect();
    member.core.step(append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3, 3], commit: 3 }));
    member.write();
    expect(termsOf(member.collect()?.apply?.entries ?? [])).toEqual([1]);
    member.write();
    expect(termsOf(member.collect()?.apply?.entries ?? [])).toEqual([3, 3]);
  });

  test("entries that replace durable ones are not durable before they are written", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1] });
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2], commit: 3 }));
    expect(termsOf(member.collect()?.apply?.entries ?? [])).toEqual([1]);
    member.write();
    expect(termsOf(member.collect()?.apply?.entries ?? [])).toEqual([2, 2]);
  });

  test("a follower cut by a long divergent tail is repaired in about one question per term", () => {
    const shared = Array.from({ length: 10 }, () => 1);
    const own = [...shared, ...Array.from({ length: 200 }, (_, place) => (place < 100 ? 4 : 6))];
    const other = [...shared, ...Array.from({ length: 200 }, (_, place) => (place < 100 ? 3 : 5))];
    const cluster = new TestCluster({ size: 3, terms: { 1: own, 2: other }, term: 6 });
    cluster.elect(1);
    expect(cluster.member(2).disk.entries).toEqual(cluster.member(1).disk.entries);
    const refusals = cluster.sent.filter((message) => message.type === "appendEntriesResponse" && message.from === 2 && message.rejected);
    expect(refusals.length).toBeLessThanOrEqual(5);
  });

  test("a heartbeat carries no more commit than the follower is known to hold", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    becomeLeader(member);
    exchange(member, accept(2, { term: 2, index: 3 }));
    member.core.tick();
    expect(ofType(drain(member), "heartbeat").map((message) => [message.to, message.commit])).toEqual([
      [2, 3],
      [3, 0],
    ]);
  });

  test("heartbeats commit forward only", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 2 });
    exchange(member, heartbeat(2, { term: 1, commit: 1 }), heartbeat(2, { term: 1, commit: 3 }), heartbeat(2, { term: 1, commit: 2 }));
    expect(member.core.commit).toBe(3);
  });
});

describe("durability and restart", () => {
  test.each([
    { commit: 9, expected: 3 },
    { commit: 0, expected: 0 },
    { commit: 2, expected: 2 },
  ])("a stored commit index of $commit over a log of 3 is taken as $expected", ({ commit, expected }) => {
    expect(soloMember({ size: 3, terms: [1, 1, 1], commit }).core.commit).toBe(expected);
  });

  test("an entry of a later term than the stored one is a broken store", () => {
    expect(() => soloMember({ size: 3, terms: [1, 3], term: 2 })).toThrow("No entry is of a later term than the member has seen");
  });

  test("terms that go down, or a gap, are a broken store", () => {
    expect(() => soloMember({ size: 3, terms: [2, 1], term: 2 })).toThrow("Terms in the log never decrease");
    const entries = [...entriesOf([1]), ...entriesOf([1], 3)];
    const start: CoreStart = { hardState: { term: 1, vote: 0, commit: 0 }, snapshot: null, entries, configuration: { voters: [1] } };
    expect(() => new RaftCore({ id: 1, electionTicks: 10, heartbeatTicks: 1 }, start, new SeededRandom(1))).toThrow("Entries leave no gap");
  });

  test("a log that was kept behind the snapshot stays readable, and the commit index is at least the snapshot's", () => {
    const configuration = { voters: [1, 2, 3] };
    const start: CoreStart = {
      hardState: { term: 3, vote: 0, commit: 1 },
      snapshot: { index: 4, term: 2, configuration },
      entries: entriesOf([1, 2, 2, 3], 2),
      configuration,
    };
    const core = new RaftCore({ id: 1, electionTicks: 10, heartbeatTicks: 1 }, start, new SeededRandom(1));
    expect(core.status()).toMatchObject({ commit: 4, applied: 4, firstIndex: 3, lastIndex: 5 });
  });

  test.each([
    [{ electionTicks: 1, heartbeatTicks: 1 }, "electionTicks 1 is less than two heartbeats of 1 ticks"],
    [{ appendBytesMax: 100, inflightBytesMax: 99 }, "inflightBytesMax 99 is less than appendBytesMax 100"],
    [{ inflightMessagesMax: 0 }, "Option inflightMessagesMax is 0, not a positive safe integer"],
  ])("options %j are refused", (options, sentence) => {
    expect(() => soloMember({ size: 3, options })).toThrow(sentence);
  });
});

test("a full window whose messages were all lost is reopened by heartbeats", () => {
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

test("the quota is exact: it comes back for applied entries of this term, and for nothing else", () => {
  const member = soloMember({ size: 3, terms: [1, 1], options: { uncommittedBytesMax: 10 } });
  becomeLeader(member);
  expect(member.core.propose([new Uint8Array(50)]).outcome).toBe("accepted");
  expect(member.core.propose([new Uint8Array(1)])).toEqual({ outcome: "dropped", reason: "quota" });
  expect(member.core.propose([new Uint8Array(0)]).outcome).toBe("accepted");
  drain(member);
  exchange(member, accept(2, { term: 2, index: 5 }));
  expect(member.stateIndex).toBe(5);
  expect(member.core.propose([new Uint8Array(6), new Uint8Array(4)]).outcome).toBe("accepted");
  expect(member.core.propose([payload("x")])).toEqual({ outcome: "dropped", reason: "quota" });
  drain(member);
  exchange(member, heartbeatAnswer(2, { term: 2 }), accept(2, { term: 2, index: 7 }));
  expect(member.core.propose([new Uint8Array(10)]).outcome).toBe("accepted");
});
