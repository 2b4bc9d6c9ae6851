import { describe, expect, test } from "vitest";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { append, drain, exchange, heartbeat, ofType, preVote, preVoteRequest, soloMember, termsOf, vote } from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** Before a member disturbs the others by a new term it asks whether it could win (dissertation 9.6). */

function preCandidate(size = 3): TestMember {
  const member = soloMember({ size, terms: [1, 1], term: 3 });
  member.core.campaign();
  drain(member);
  return member;
}

describe("asking", () => {
  test("changes neither term nor vote, on the disk or in memory, and names the next term", () => {
    const member = soloMember({ size: 3, terms: [1, 1], term: 3, vote: 2 });
    member.core.campaign();
    const ready = member.collect();
    expect(ready?.messages).toMatchObject([
      { type: "requestPreVote", to: 2, term: 4, lastIndex: 2, lastTerm: 1 },
      { type: "requestPreVote", to: 3, term: 4, lastIndex: 2, lastTerm: 1 },
    ]);
    expect(ready?.append).toMatchObject({ hardState: null, entries: [], mustSync: false });
    expect(member.core.status()).toMatchObject({ role: "preCandidate", term: 3, vote: 2, leader: 0 });
  });

  test("begins the real election as soon as a majority would vote", () => {
    const member = preCandidate();
    const sent = exchange(member, preVote(2, { term: 4 }));
    expect(member.core.status()).toMatchObject({ role: "candidate", term: 4, vote: 1 });
    expect(ofType(sent, "requestVote").map((message) => [message.to, message.term])).toEqual([
      [2, 4],
      [3, 4],
    ]);
  });

  test("ends in the same term if a majority would not", () => {
    const member = preCandidate();
    exchange(member, ...[2, 3].map((from) => preVote(from, { term: 3, granted: false })));
    expect(member.core.status()).toMatchObject({ role: "follower", term: 3 });
  });

  test("ends in the term of who refuses from a later one", () => {
    const member = preCandidate();
    exchange(member, preVote(2, { term: 8, granted: false }));
    expect(member.core.status()).toMatchObject({ role: "follower", term: 8, vote: 0, leader: 0 });
  });

  test("is done with by the leader's first word", () => {
    for (const message of [heartbeat(2, { term: 3 }), append(2, { term: 3, prevIndex: 2, prevTerm: 1 })]) {
      const member = preCandidate();
      exchange(member, message);
      expect(member.core.status()).toMatchObject({ role: "follower", term: 3, leader: 2 });
    }
  });

  test("counts no real votes, and the real election no votes in advance", () => {
    const member = preCandidate(5);
    exchange(member, vote(2, { term: 3 }), vote(3, { term: 3 }), vote(4, { term: 3 }));
    expect(member.core.role).toBe("preCandidate");
    exchange(member, preVote(2, { term: 4 }), preVote(3, { term: 4 }));
    expect(member.core.role).toBe("candidate");
    exchange(member, preVote(4, { term: 4 }), preVote(5, { term: 4 }));
    expect(member.core.role).toBe("candidate");
  });

  test("goes on after a time-out without a result, in the same term", () => {
    const member = preCandidate();
    for (let round = 0; round < 5; round++) {
      for (let tick = 0; tick < 2 * ELECTION_TICKS; tick++) member.core.tick();
      expect(ofType(drain(member), "requestPreVote").length).toBeGreaterThanOrEqual(2);
    }
    expect(member.core.status()).toMatchObject({ role: "preCandidate", term: 3 });
  });
});

describe("a vote in advance", () => {
  test("is given to any number of members, and takes no vote from anybody", () => {
    const member = soloMember({ size: 5, terms: [1], term: 2, vote: 5 });
    const questions = [2, 3, 4].map((from) => preVoteRequest(from, { term: 3, lastIndex: 1, lastTerm: 1 }));
    expect(exchange(member, ...questions)).toMatchObject([2, 3, 4].map((to) => ({ to, term: 3, granted: true })));
    expect(member.diskHardState).toMatchObject({ term: 2, vote: 5 });
  });

  test("for the term that the voter is in is given only if its vote of that term could be", () => {
    const member = soloMember({ size: 3, terms: [1], term: 3, vote: 2 });
    const question = { term: 3, lastIndex: 1, lastTerm: 1 };
    expect(exchange(member, preVoteRequest(3, question))).toMatchObject([{ granted: false, term: 3 }]);
    expect(exchange(member, preVoteRequest(2, question))).toMatchObject([{ granted: true, term: 3 }]);
  });

  test("for a term that is over is refused with the later one", () => {
    const member = soloMember({ size: 3, terms: [1], term: 5 });
    expect(exchange(member, preVoteRequest(2, { term: 4, lastIndex: 9, lastTerm: 3 }))).toMatchObject([
      { type: "requestPreVoteResponse", to: 2, term: 5, granted: false },
    ]);
  });
});

describe("a cluster", () => {
  test("takes a partitioned member back in the same term and under the same leader", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    passTime(cluster, 10 * ELECTION_TICKS);
    expect(cluster.member(3).core.status()).toMatchObject({ role: "preCandidate", term: 1 });
    cluster.heal();
    passTime(cluster, 1);
    expect(cluster.members.map((member) => [member.core.term, member.core.leader])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  test("without it lets the term of the partitioned member depose the leader, by the answer to a heartbeat", () => {
    const cluster = new TestCluster({ size: 3, options: { preVote: false } });
    cluster.elect(1);
    cluster.isolate(3);
    passTime(cluster, 3 * ELECTION_TICKS);
    const { term } = cluster.member(3).core;
    expect(term).toBeGreaterThan(1);
    cluster.heal();
    passTime(cluster, 4 * ELECTION_TICKS);
    expect(leadersOf(cluster)).toHaveLength(1);
    for (const member of cluster.members) expect(member.core.term).toBeGreaterThanOrEqual(term);
  });

  test.each([true, false])("frees a candidate that is stuck in a later term (pre-votes: %s)", (preVoteOfOthers) => {
    const cluster = new TestCluster({ size: 3, options: { preVote: preVoteOfOthers }, optionsOf: { 3: { preVote: false } } });
    cluster.elect(1);
    cluster.isolate(3);
    passTime(cluster, 3 * ELECTION_TICKS);
    cluster.heal();
    cluster.member(1).core.propose([new Uint8Array(1)]);
    cluster.settle();
    passTime(cluster, 6 * ELECTION_TICKS);
    const [leader = 0, ...others] = leadersOf(cluster);
    expect(others).toEqual([]);
    expect(cluster.members.map((member) => member.core.leader)).toEqual([leader, leader, leader]);
    expect(new Set(cluster.members.map((member) => member.core.commit)).size).toBe(1);
  });

  test("that is switched over to it member by member keeps electing", () => {
    for (const withPreVote of [[1], [1, 2], [3], [2, 3]]) {
      const optionsOf = Object.fromEntries([1, 2, 3].map((id) => [id, { preVote: withPreVote.includes(id) }]));
      for (const gone of [1, 2, 3]) {
        const cluster = new TestCluster({ size: 3, optionsOf, seed: gone });
        cluster.elect(gone);
        cluster.isolate(gone);
        const rest = [1, 2, 3].filter((id) => id !== gone);
        passTime(cluster, 12 * ELECTION_TICKS, rest);
        expect(rest.filter((id) => cluster.member(id).core.role === "leader")).toHaveLength(1);
      }
    }
  });

  test("lets two members that ask at once both win their pre-votes, and one of them the election", () => {
    const cluster = new TestCluster({ size: 3, terms: { 1: [1, 1], 2: [1], 3: [1, 1] }, term: 1 });
    for (const id of [1, 3]) cluster.member(id).core.campaign();
    cluster.settle();
    passTime(cluster, 4 * ELECTION_TICKS);
    expect(leadersOf(cluster)).toHaveLength(1);
    expect(termsOf(cluster.member(2).disk.entries)).toEqual(termsOf(cluster.member(1).disk.entries));
  });

  test("elects the longer log when two members ask at once, at the cost of one term", () => {
    const cluster = new TestCluster({ size: 3, terms: { 1: [1], 2: [1, 1], 3: [1, 1] } });
    for (const id of [1, 2]) cluster.member(id).core.campaign();
    cluster.settle();
    expect(leadersOf(cluster)).toEqual([2]);
    for (const member of cluster.members) expect(member.core.status()).toMatchObject({ term: 2, leader: 2, commit: 3 });
  });
});

test("an answer to the question that is lost is told of as what it is", () => {
  const events = new RecordedEvents();
  const member = soloMember({ size: 3, term: 3, options: { onEvent: events.sink } });
  member.core.campaign();
  drain(member);
  exchange(member, preVote(2, { term: 3, granted: false }));
  expect(events.ofType("voteReceived")).toEqual([
    { type: "voteReceived", phase: "preVote", from: 1, granted: true, ownTerm: 3 },
    { type: "voteReceived", phase: "preVote", from: 2, granted: false, ownTerm: 3 },
  ]);
  expect(events.ofType("votesCounted").at(-1)).toMatchObject({ phase: "preVote", granted: 1, refused: 1 });
});
