import { describe, expect, test } from "vitest";
import { EMPTY_CONFIGURATION, votersOnly } from "../membership/configuration.ts";
import { INDEX_MAX, TERM_MAX } from "../message-check.ts";
import type { PeerMessage } from "../messages.ts";
import { addVoter, changeOf, remove } from "../testing/member-changes.ts";
import { soloLeader } from "../testing/solo-leader.ts";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeat,
  heartbeatAnswer,
  ofType,
  preVote,
  refuse,
  soloMember,
  termsOf,
  vote,
  voteRequest,
} from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** What other implementations got wrong about elections, terms and votes, as reported in their issue trackers and in papers. */

/** A member in a candidacy of term 2 that its own vote is durable for. */
function candidate(size = 3): TestMember {
  const member = soloMember({ size, term: 1, options: { preVote: false } });
  member.core.campaign();
  drain(member);
  return member;
}

function expectNoSecondVote(member: TestMember): void {
  drain(member);
  const { term } = member.core;
  const answers = exchange(member, voteRequest(3, { term, lastIndex: 99, lastTerm: term - 1 }));
  expect(answers).toMatchObject([{ type: "requestVoteResponse", to: 3, term, granted: false }]);
  expect(member.diskHardState).toMatchObject({ term, vote: 1 });
}

describe("P1: the vote of a term outlives the role that gave it", () => {
  test.each<readonly [string, (member: TestMember) => void]>([
    ["a candidate that heard the leader", (member) => exchange(member, heartbeat(2, { term: 2 }))],
    ["a candidate that lost", (member) => exchange(member, ...[2, 3].map((from) => vote(from, { term: 2, granted: false })))],
    ["a candidate that became leader", (member) => exchange(member, vote(2, { term: 2 }))],
    ["a candidate that was restarted", (member) => member.crash(0, true)],
  ])("P1: of %s", (_, change) => {
    const member = candidate();
    change(member);
    expectNoSecondVote(member);
  });

  test("P1: of a leader that stepped down without a quorum", () => {
    const member = candidate();
    exchange(member, vote(2, { term: 2 }));
    for (let tick = 0; tick < 2 * ELECTION_TICKS && member.core.role === "leader"; tick++) member.core.tick();
    expect(member.core.role).toBe("follower");
    expectNoSecondVote(member);
  });
});

test("P2: a crash before the vote is durable leaves neither vote nor answer behind", () => {
  const member = soloMember({ size: 3, term: 1 });
  member.core.step(voteRequest(2, { term: 2, lastIndex: 0, lastTerm: 0 }));
  const ready = member.collect();
  expect(ready?.messages).toEqual([]);
  expect(ready?.append).toMatchObject({ hardState: { term: 2, vote: 2 }, mustSync: true, messages: [{ granted: true }] });
  member.crash(0, true);
  expect(exchange(member, voteRequest(3, { term: 2, lastIndex: 0, lastTerm: 0 }))).toMatchObject([{ to: 3, granted: true }]);
});

test("P2: a candidate whose log is not durable asks only when log and term are, so that no other log gets the votes", () => {
  const member = soloMember({ size: 5, terms: [1, 1], options: { preVote: false } });
  member.core.step(append(2, { term: 1, prevIndex: 2, prevTerm: 1, terms: [1] }));
  expect(member.collect()?.append?.entries).toHaveLength(1);
  member.core.campaign();
  expect(ofType(member.collect()?.messages ?? [], "requestVote")).toEqual([]);
  expect(ofType(drain(member), "requestVote")).toHaveLength(4);
});

test("P2: a candidate with a durable log asks at once, but has not voted before its vote is durable", () => {
  const member = soloMember({ size: 3, terms: [1, 1], options: { preVote: false } });
  member.core.campaign();
  expect(ofType(member.collect()?.messages ?? [], "requestVote")).toHaveLength(2);
  member.core.step(vote(2, { term: member.core.term }));
  expect(member.core.role).toBe("candidate");
  member.write();
  expect(member.core.role).toBe("leader");
});

test("P2: a candidate that forgot in a crash that it asked is elected with the log that it asked with", () => {
  const member = soloMember({ size: 3, terms: [1, 1], term: 1, options: { preVote: false } });
  member.core.campaign();
  const [first] = ofType(member.collect()?.messages ?? [], "requestVote");
  member.crash(0, true);
  expect(member.core.term).toBe(1);
  member.core.campaign();
  const [second] = ofType(member.collect()?.messages ?? [], "requestVote");
  expect(second).toEqual(first);
});

test("P3: votes of another term or of the other kind count for nothing, and one refusal is not undone by a grant", () => {
  const member = soloMember({ size: 5, term: 5, options: { preVote: false } });
  member.core.campaign();
  drain(member);
  const useless = [vote(2, { term: 5 }), preVote(3, { term: 6 }), vote(4, { term: 6, granted: false }), vote(4, { term: 6 })];
  exchange(member, ...useless, vote(5, { term: 6 }), vote(5, { term: 6 }), vote(9, { term: 6 }));
  expect(member.core.role).toBe("candidate");
  exchange(member, vote(2, { term: 6 }));
  expect(member.core.role).toBe("leader");
});

test("P3: an answer from outside the configuration raises no term", () => {
  const member = soloMember({ size: 3, term: 5 });
  exchange(member, vote(9, { term: 8 }), accept(9, { term: 8, index: 1 }), heartbeatAnswer(9, { term: 8 }));
  expect(member.core.term).toBe(5);
});

test("P4: a member that asks for pre-votes and one of a later term that does not elect the longer log between them", () => {
  const terms = { 1: [1, 1], 2: [1, 1], 3: [1] };
  const cluster = new TestCluster({ size: 3, terms, term: 1, optionsOf: { 3: { preVote: false } } });
  cluster.isolate(3);
  cluster.tick(3, 6 * ELECTION_TICKS);
  cluster.settle();
  expect(cluster.member(3).core.term).toBeGreaterThan(2);
  cluster.passes = ({ from, to }) => from !== 1 && to !== 1;
  for (let tick = 0; tick < 12 * ELECTION_TICKS && cluster.member(2).core.role !== "leader"; tick++) {
    for (const id of [2, 3]) cluster.tick(id);
    cluster.settle();
  }
  expect(cluster.member(2).core.role).toBe("leader");
  expect(termsOf(cluster.member(3).disk.entries)).toEqual(termsOf(cluster.member(2).disk.entries));
});

test("P4: a pre-vote for a term that is over is answered with the later term", () => {
  const member = soloMember({ size: 3, term: 7 });
  const question = { type: "requestPreVote", from: 2, to: 1, term: 3, lastIndex: 9, lastTerm: 2, priority: 0 } as const;
  expect(exchange(member, question)).toMatchObject([{ type: "requestPreVoteResponse", to: 2, term: 7, granted: false }]);
});

test("P5: a member that was removed and does not know can't depose the leader, with and without pre-votes", () => {
  for (const preVoteOfRemoved of [true, false]) {
    const cluster = new TestCluster({ size: 3, optionsOf: { 3: { preVote: preVoteOfRemoved } } });
    cluster.elect(1);
    cluster.passes = ({ to }) => to !== 3;
    cluster.member(1).core.proposeChange(changeOf(remove(3)));
    cluster.settle();
    expect(cluster.member(1).core.configuration).toEqual(votersOnly([1, 2]));
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) {
      for (const id of [1, 2, 3]) cluster.tick(id);
      cluster.settle();
    }
    expect(cluster.member(1).core.status()).toMatchObject({ role: "leader", term: 1 });
  }
});

describe("P5: half a connection", () => {
  test("P5: a follower that hears nothing but is heard does not disturb the others", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.passes = ({ to }) => to !== 3;
    for (let tick = 0; tick < 10 * ELECTION_TICKS; tick++) {
      for (const id of [1, 2, 3]) cluster.tick(id);
      cluster.settle();
    }
    expect(cluster.member(1).core.status()).toMatchObject({ role: "leader", term: 1 });
    expect(cluster.member(3).core.term).toBe(1);
  });

  test("P5: a leader that is heard but hears nobody gives way, and the others elect", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.passes = ({ to }) => to !== 1;
    for (let tick = 0; tick < 6 * ELECTION_TICKS; tick++) {
      for (const id of [1, 2, 3]) cluster.tick(id);
      cluster.settle();
    }
    expect(cluster.member(1).core.role).not.toBe("leader");
    expect(cluster.members.filter((member) => member.core.role === "leader")).toHaveLength(1);
  });
});

test.each([append(2, { term: 1, prevIndex: 0, prevTerm: 0 }), heartbeat(2, { term: 1 })])(
  "P6: a leader that missed a term is told of it when it sends a message: %#",
  (message) => {
    const answers = exchange(soloMember({ size: 3, term: 4 }), message);
    expect(answers).toMatchObject([{ type: "appendEntriesResponse", to: 2, term: 4, index: 0, rejected: false }]);
  },
);

test("P7: a single voter leads and commits after its own disk, and not before", () => {
  const member = soloMember({ size: 1, options: { preVote: false } });
  member.core.campaign();
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

test("P7: a single voter with pre-votes needs nobody either", () => {
  const member = soloMember({ size: 1 });
  for (let tick = 0; tick < 2 * ELECTION_TICKS; tick++) member.core.tick();
  expect(drain(member)).toEqual([]);
  expect(member.core.status()).toMatchObject({ role: "leader", term: 1, commit: 1 });
});

test("P8: who has a committed change of members to apply does not campaign before", () => {
  const leader = soloLeader({ size: 3 });
  leader.core.proposeChange(changeOf(addVoter(4)));
  const [entry] = ofType(drain(leader), "appendEntries").flatMap((message) => message.entries);
  if (entry === undefined) throw new Error("The change is sent");
  const member = soloMember({ size: 3, term: 1 });
  const change = { ...append(2, { term: 1, prevIndex: 0, prevTerm: 0, commit: 1 }), entries: [{ ...entry, index: 1 }] };
  member.core.step(change);
  for (let step = 0; step < 2; step++) {
    member.collect();
    member.write();
  }
  expect(member.applies).toHaveLength(1);
  expect(member.core.campaign()).toBe("unapplied_configuration");
  for (let tick = 0; tick < 3 * ELECTION_TICKS; tick++) member.core.tick();
  expect(member.core.role).toBe("follower");
  drain(member);
  expect(member.core.campaign()).toBe("started");
  expect(drain(member).map((message) => message.to)).toEqual([2, 3, 4]);
});

/** A driver may let heartbeats overtake what is queued before them: they take the same way into the core. */
test("P9: a heartbeat that overtakes the appends sent before it sets the term once, and nothing goes back", () => {
  const appends = [
    append(2, { term: 3, prevIndex: 0, prevTerm: 0, terms: [3] }),
    append(2, { term: 3, prevIndex: 1, prevTerm: 3, terms: [3], commit: 1 }),
  ];
  const inOrder = soloMember({ size: 3, term: 1 });
  const overtaken = soloMember({ size: 3, term: 1 });
  exchange(inOrder, ...appends, heartbeat(2, { term: 3 }));
  exchange(overtaken, heartbeat(2, { term: 3 }), ...appends);
  expect(overtaken.core.status()).toEqual(inOrder.core.status());
  exchange(overtaken, heartbeat(3, { term: 4 }), ...appends);
  expect(overtaken.core.status()).toMatchObject({ term: 4, leader: 3, lastIndex: 2, commit: 1 });
});

/**
 * The codecs refuse them first: "indexes that would leave the safe integers are refused" in packages/api, "with a number beyond 2^53 is
 * damaged" in packages/log-store.
 */
test.each([2 ** 53, 2 ** 64 - 1, Number.POSITIVE_INFINITY, Number.NaN, 1.5, -1])("P10: the number %d is no index and no term", (number) => {
  const wrong: readonly PeerMessage[] = [
    heartbeat(2, { term: number }),
    heartbeat(2, { term: 1, commit: number }),
    append(2, { term: 1, prevIndex: number, prevTerm: 1 }),
    append(2, { term: 1, prevIndex: 1, prevTerm: number }),
    accept(2, { term: 1, index: number }),
    refuse(2, { term: 1, index: 9, hintIndex: number, hintTerm: 1 }),
    voteRequest(2, { term: 2, lastIndex: number, lastTerm: 1 }),
    heartbeatAnswer(2, { term: 1, readPosition: number }),
  ];
  const member = soloMember({ size: 3, term: 1 });
  expect(wrong.map((message) => member.core.step(message))).toEqual(wrong.map(() => "malformed"));
  expect(member.core.ready()).toBeUndefined();
});

test("P10: the highest term and index that a message may carry leave room to count on", () => {
  expect(Number.isSafeInteger(TERM_MAX + 1) && Number.isSafeInteger(INDEX_MAX + 1)).toBe(true);
  const member = soloMember({ size: 3 });
  exchange(member, heartbeat(2, { term: TERM_MAX - 1 }));
  becomeLeader(member);
  expect([member.core.role, member.core.term]).toEqual(["leader", TERM_MAX]);
});

describe("who may campaign", () => {
  test("P37: neither a member outside the configuration nor a learner", () => {
    for (const configuration of [votersOnly([2]), { ...votersOnly([2]), learners: [1] }]) {
      const member = soloMember({ size: 0, configuration, term: 1 });
      for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
      expect(member.core.campaign()).toBe("unpromotable");
      expect([member.core.role, member.core.term]).toEqual(["follower", 1]);
    }
  });

  test("P38: nobody in a configuration without voters", () => {
    const member = soloMember({ size: 0, configuration: EMPTY_CONFIGURATION, term: 1 });
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
    expect([member.core.campaign(), member.core.role]).toEqual(["unpromotable", "follower"]);
  });

  test("P3: the own vote that becomes durable after the election was lost makes no leader", () => {
    const member = soloMember({ size: 1, options: { preVote: false } });
    member.core.campaign();
    member.collect();
    exchange(member, heartbeat(7, { term: 4 }));
    expect(member.core.role).toBe("follower");
  });
});
