import { describe, expect, test } from "vitest";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeat,
  heartbeatAnswer,
  ofType,
  soloMember,
  termsOf,
  vote,
  voteRequest,
} from "./testing/solo-member.ts";
import { payload, TestCluster } from "./testing/test-cluster.ts";

/** What this project's predecessor got wrong in its consensus, one test each. */

test("the same append delivered twice changes nothing", () => {
  const member = soloMember({ size: 3, term: 1 });
  const message = append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1], commit: 1 });
  const first = exchange(member, message);
  const before = { status: member.core.status(), disk: member.disk.entries };
  member.core.step({ ...message, prevIndex: 1, prevTerm: 1, entries: message.entries.slice(1) });
  expect(member.collect()?.append?.entries).toEqual([]);
  expect(first).toMatchObject([{ index: 2, rejected: false }]);
  expect({ status: member.core.status(), disk: member.disk.entries }).toEqual(before);
});

test("after a truncation the log, its last index and its last term agree, and committed entries stay", () => {
  const member = soloMember({ size: 3, terms: [1, 2, 2, 2], commit: 1 });
  exchange(member, append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3] }));
  expect(member.core.lastIndex).toBe(2);
  expect(termsOf(member.disk.entries)).toEqual([1, 3]);
  member.core.campaign();
  expect(drain(member)).toMatchObject([
    { lastIndex: 2, lastTerm: 3 },
    { lastIndex: 2, lastTerm: 3 },
  ]);
});

test("an answer to a heartbeat never counts as replication", () => {
  const member = soloMember({ size: 3, term: 1 });
  becomeLeader(member);
  exchange(member, heartbeatAnswer(2, { term: 2 }), heartbeatAnswer(3, { term: 2 }));
  expect(member.core.status().peers.map((peer) => peer.match)).toEqual([0, 0]);
  expect(member.core.commit).toBe(0);
});

test("a follower commits at most what the append verified, not all that it has", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1, 1] });
  exchange(member, append(2, { term: 2, prevIndex: 2, prevTerm: 1, commit: 4 }));
  expect(member.core.commit).toBe(2);
});

describe("the vote of a term is never taken back", () => {
  test("when a candidate becomes leader, also over a restart", () => {
    const member = soloMember({ size: 3, term: 1 });
    becomeLeader(member);
    expect(member.diskHardState).toMatchObject({ term: 2, vote: 1 });
    member.crash(0, true);
    expect(exchange(member, voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }))).toMatchObject([{ granted: false }]);
  });

  test("when a candidate loses and follows", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.campaign();
    drain(member);
    exchange(member, append(3, { term: 2, prevIndex: 0, prevTerm: 0 }));
    expect(exchange(member, voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }))).toMatchObject([{ granted: false }]);
    expect(member.diskHardState.vote).toBe(1);
  });
});

test("a candidate follows the leader of its own term", () => {
  const member = soloMember({ size: 3, term: 1 });
  member.core.campaign();
  drain(member);
  exchange(member, heartbeat(3, { term: 2 }));
  expect([member.core.role, member.core.leader]).toEqual(["follower", 3]);
});

test("the same vote delivered twice counts once", () => {
  const member = soloMember({ size: 5, term: 1 });
  member.core.campaign();
  drain(member);
  exchange(member, vote(2, { term: 2 }), vote(2, { term: 2 }), vote(2, { term: 2 }));
  expect(member.core.role).toBe("candidate");
});

test("commit and match only grow, in whatever order answers arrive, and old terms count for nothing", () => {
  const member = soloMember({ size: 3, term: 1 });
  becomeLeader(member);
  member.core.propose([payload("a"), payload("b")]);
  drain(member);
  exchange(member, accept(2, { term: 2, index: 3 }), accept(2, { term: 2, index: 1 }), accept(3, { term: 1, index: 3 }));
  expect(member.core.commit).toBe(3);
  expect(member.core.status().peers).toMatchObject([
    { id: 2, match: 3 },
    { id: 3, match: 0 },
  ]);
});

test("an unreachable follower has rejected nothing", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1] });
  becomeLeader(member);
  exchange(member, accept(2, { term: 2, index: 4 }));
  member.core.reportUnreachable(2);
  expect(member.core.status().peers[0]).toEqual({ id: 2, state: "probe", match: 4, next: 5 });
});

test("a follower that lags catches up without a proposal, in a few round trips", () => {
  const long = Array.from({ length: 500 }, () => 1);
  const cluster = new TestCluster({ size: 3, terms: { 1: long, 2: [], 3: [1, 1] } });
  cluster.elect(1);
  expect(cluster.members.map((member) => member.core.lastIndex)).toEqual([501, 501, 501]);
  expect(cluster.sent.filter((message) => message.type === "appendEntriesResponse" && message.to === 1).length).toBeLessThan(12);
});

test("entries of older terms commit without any client", () => {
  const cluster = new TestCluster({ size: 3, terms: { 1: [1, 1], 2: [1, 1], 3: [1] } });
  cluster.elect(1);
  expect(cluster.members.map((member) => member.core.commit)).toEqual([3, 3, 3]);
});

test("payloads of any bytes arrive as they were, also empty ones", () => {
  const cluster = new TestCluster({ size: 3 });
  cluster.elect(1);
  cluster.propose(1, "", "a b", "\0\n");
  const applied = cluster
    .member(3)
    .applied.slice(1)
    .map((entry) => [entry.kind, String.fromCharCode(...entry.data)]);
  expect(applied).toEqual([
    ["command", ""],
    ["command", "a b"],
    ["command", "\0\n"],
  ]);
});

test("what was acknowledged survives a power cut at every point", () => {
  for (let keptJobs = 0; keptJobs <= 2; keptJobs++) {
    const member = soloMember({ size: 3, term: 1 });
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] }));
    for (const index of [1, 2]) {
      member.core.step(append(2, { term: 1, prevIndex: index, prevTerm: 1, terms: [1], commit: index }));
      member.collect();
    }
    member.crash(keptJobs, false);
    expect(member.core.lastIndex).toBe(1 + keptJobs);
    expect(member.core.term).toBe(1);
  }
});

test("the first append of a new leader leaves with the Ready that made it leader", () => {
  const member = soloMember({ size: 3, term: 1 });
  member.core.campaign();
  drain(member);
  member.core.step(vote(2, { term: 2 }));
  const ready = member.collect();
  expect(ready?.softState).toEqual({ role: "leader", leader: 1 });
  expect(ofType(ready?.messages ?? [], "appendEntries").map((message) => message.to)).toEqual([2, 3]);
});

test("everything committed is applied once and in order, also while applying is slow", () => {
  const member = soloMember({ size: 1, options: { applyBytesMax: 2 } });
  member.core.tick();
  drain(member);
  for (const text of ["a", "bb", "cccc", "d"]) member.core.propose([payload(text)]);
  for (let ready = member.collect(); ready !== undefined; ready = member.collect()) while (member.appends.length > 0) member.write();
  expect(member.applied.map((entry) => entry.index)).toEqual([1]);
  drain(member);
  expect(member.applied.map((entry) => entry.index)).toEqual([1, 2, 3, 4, 5]);
});

describe("clients are never left without an answer", () => {
  test("a proposal without a known leader is dropped with the reason", () => {
    const member = soloMember({ size: 3 });
    expect(member.core.propose([payload("x")])).toEqual({ outcome: "dropped", reason: "no_leader" });
  });

  test("a follower names the leader it passed the proposal on to", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(2);
    expect(cluster.member(1).core.propose([payload("x"), payload("y")])).toEqual({ outcome: "forwarded", to: 2 });
    cluster.settle();
    expect(
      cluster
        .member(3)
        .applied.slice(1)
        .map((entry) => [...entry.data]),
    ).toEqual([[120], [121]]);
  });

  test("a proposal that was passed on is not passed on again", () => {
    const member = soloMember({ size: 3 });
    exchange(member, heartbeat(2, { term: 1 }));
    expect(exchange(member, { type: "forwardPropose", from: 3, to: 1, payloads: [payload("x")] })).toEqual([]);
  });

  test("granting a vote restarts the election timer, refusing one does not", () => {
    const twin = soloMember({ size: 3, terms: [1], term: 4 });
    let timeout = 0;
    for (; twin.core.role === "follower"; timeout++) twin.core.tick();
    for (const [lastIndex, isRestarted] of [
      [5, true],
      [0, false],
    ] as const) {
      const member = soloMember({ size: 3, terms: [1], term: 4 });
      for (let tick = 1; tick < timeout; tick++) member.core.tick();
      exchange(member, voteRequest(2, { term: 4, lastIndex, lastTerm: 1 }));
      member.core.tick();
      expect(member.core.role).toBe(isRestarted ? "follower" : "candidate");
    }
  });
});
