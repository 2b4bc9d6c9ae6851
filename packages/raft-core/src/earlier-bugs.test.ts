import { describe, expect, test } from "vitest";
import { resolveOptions } from "./core-options.ts";
import { votersOnly } from "./membership/configuration.ts";
import { addLearner, changeOf } from "./testing/member-changes.ts";
import { peerStatus, soloLeader } from "./testing/solo-leader.ts";
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
import { payload, TestCluster } from "./testing/test-cluster.ts";

/** What this project's predecessor got wrong in its consensus, by number. */

const WITHOUT_PRE_VOTE = { preVote: false };

test("B1: the same append delivered twice changes nothing", () => {
  const member = soloMember({ size: 3, term: 1 });
  const message = append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1], commit: 1 });
  const first = exchange(member, message);
  const before = { status: member.core.status(), disk: member.disk.entries };
  member.core.step({ ...message, prevIndex: 1, prevTerm: 1, entries: message.entries.slice(1) });
  expect(member.collect()?.append?.entries).toEqual([]);
  expect(first).toMatchObject([{ index: 2, rejected: false }]);
  expect({ status: member.core.status(), disk: member.disk.entries }).toEqual(before);
});

test("B2: after a truncation the log, its last index and its last term agree, and committed entries stay", () => {
  const member = soloMember({ size: 3, terms: [1, 2, 2, 2], commit: 1 });
  exchange(member, append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3] }));
  expect(member.core.lastIndex).toBe(2);
  expect(termsOf(member.disk.entries)).toEqual([1, 3]);
  member.core.campaign();
  expect(drain(member)).toMatchObject([
    { type: "requestPreVote", lastIndex: 2, lastTerm: 3 },
    { type: "requestPreVote", lastIndex: 2, lastTerm: 3 },
  ]);
});

test("B3: an answer to a heartbeat never counts as replication", () => {
  const member = soloMember({ size: 3, term: 1 });
  becomeLeader(member);
  exchange(member, heartbeatAnswer(2, { term: 2 }), heartbeatAnswer(3, { term: 2 }));
  expect([peerStatus(member, 2).match, peerStatus(member, 3).match]).toEqual([0, 0]);
  expect(member.core.commit).toBe(0);
});

test("B4: a follower commits at most what the append verified, not all that it has", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1, 1] });
  exchange(member, append(2, { term: 2, prevIndex: 2, prevTerm: 1, commit: 4 }));
  expect(member.core.commit).toBe(2);
});

describe("B5: the vote of a term is never taken back", () => {
  test("B5: when a candidate becomes leader, also over a restart", () => {
    const member = soloMember({ size: 3, term: 1 });
    becomeLeader(member);
    expect(member.diskHardState).toMatchObject({ term: 2, vote: 1 });
    member.crash(0, true);
    expect(exchange(member, voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }))).toMatchObject([{ granted: false }]);
  });

  test("B5: when a candidate loses and follows", () => {
    const member = soloMember({ size: 3, term: 1, options: WITHOUT_PRE_VOTE });
    member.core.campaign();
    drain(member);
    exchange(member, append(3, { term: 2, prevIndex: 0, prevTerm: 0 }));
    expect(exchange(member, voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }))).toMatchObject([{ granted: false }]);
    expect(member.diskHardState.vote).toBe(1);
  });
});

test("B6: a candidate follows the leader of its own term, and knows who it is", () => {
  const member = soloMember({ size: 3, term: 1, options: WITHOUT_PRE_VOTE });
  member.core.campaign();
  drain(member);
  exchange(member, heartbeat(3, { term: 2 }));
  expect([member.core.role, member.core.leader]).toEqual(["follower", 3]);
});

test("B7: the same vote delivered twice counts once", () => {
  const member = soloMember({ size: 5, term: 1, options: WITHOUT_PRE_VOTE });
  member.core.campaign();
  drain(member);
  exchange(member, vote(2, { term: 2 }), vote(2, { term: 2 }), vote(2, { term: 2 }));
  expect(member.core.role).toBe("candidate");
});

test("B8: commit and match only grow, in whatever order answers arrive, and old terms count for nothing", () => {
  const member = soloMember({ size: 3, term: 1 });
  becomeLeader(member);
  member.core.propose([payload("a"), payload("b")]);
  drain(member);
  exchange(member, accept(2, { term: 2, index: 3 }), accept(2, { term: 2, index: 1 }), accept(3, { term: 1, index: 3 }));
  expect(member.core.commit).toBe(3);
  expect([peerStatus(member, 2).match, peerStatus(member, 3).match]).toEqual([3, 0]);
});

test("B9: an unreachable follower has rejected nothing", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1] });
  becomeLeader(member);
  exchange(member, accept(2, { term: 2, index: 4 }));
  member.core.reportUnreachable(2);
  expect(peerStatus(member, 2)).toMatchObject({ state: "probe", match: 4, next: 5 });
});

test("B10: a follower that lags catches up without a proposal, in a few round trips", () => {
  const long = Array.from({ length: 500 }, () => 1);
  const cluster = new TestCluster({ size: 3, terms: { 1: long, 2: [], 3: [1, 1] } });
  cluster.elect(1);
  expect(cluster.members.map((member) => member.core.lastIndex)).toEqual([501, 501, 501]);
  expect(cluster.sent.filter((message) => message.type === "appendEntriesResponse" && message.to === 1).length).toBeLessThan(12);
});

test("B11: entries of older terms commit without any client", () => {
  const cluster = new TestCluster({ size: 3, terms: { 1: [1, 1], 2: [1, 1], 3: [1] } });
  cluster.elect(1);
  expect(cluster.members.map((member) => member.core.commit)).toEqual([3, 3, 3]);
});

test("B12: payloads of any bytes arrive as they were, also empty ones", () => {
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

/** What the commands mean is the state machine's: "stores a new key at the next revision" and its neighbours in packages/kvstore. */
test("B12: a read is answered by a majority, wherever it is asked, and leaves nothing in the log", () => {
  const cluster = new TestCluster({ size: 3 });
  cluster.elect(1);
  cluster.propose(1, "x");
  for (const member of cluster.members) member.core.readIndex(1);
  cluster.settle();
  for (const { reads, core } of cluster.members) expect([reads, core.lastIndex]).toEqual([[{ requestId: 1, index: 2 }], 2]);
  cluster.isolate(3);
  cluster.member(3).core.readIndex(2);
  cluster.settle();
  expect(cluster.member(3).reads).toHaveLength(1);
});

test("B13: what was acknowledged survives a power cut at every point", () => {
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

describe("B14: a snapshot", () => {
  const configuration = votersOnly([1, 2, 3]);
  const install = { type: "installSnapshot", from: 2, to: 1, term: 2, snapshot: { index: 5, term: 2, configuration } } as const;

  test("B14: that was not stored before a crash leaves the old log, and it can be sent again", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    member.receiveSnapshot(install, 77);
    member.collect();
    member.crash(0, true);
    expect(member.core.lastIndex).toBe(2);
    member.receiveSnapshot(install, 77);
    expect(drain(member)).toMatchObject([{ type: "appendEntriesResponse", index: 5, rejected: false }]);
    member.crash(0, true);
    expect(member.core.status()).toMatchObject({ firstIndex: 6, lastIndex: 5, applied: 5, commit: 5, term: 2 });
  });

  test("B14: is sent once and not with every heartbeat", () => {
    const member = soloLeader({ size: 3, terms: [1, 1] });
    member.core.proposeChange(changeOf(addLearner(4)));
    drain(member);
    exchange(member, accept(2, { term: 2, index: 4 }));
    member.takeSnapshot(0);
    const sent = [...exchange(member, refuse(4, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }))];
    for (let tick = 0; tick < 5; tick++) {
      member.core.tick();
      sent.push(...exchange(member, heartbeatAnswer(4, { term: 2 })));
    }
    expect(ofType(sent, "installSnapshot")).toHaveLength(1);
  });
});

test("B15: the first append of a new leader leaves with the Ready that made it leader", () => {
  const member = soloMember({ size: 3, term: 1, options: WITHOUT_PRE_VOTE });
  member.core.campaign();
  drain(member);
  member.core.step(vote(2, { term: 2 }));
  const ready = member.collect();
  expect(ready?.softState).toEqual({ role: "leader", leader: 1 });
  expect(ofType(ready?.messages ?? [], "appendEntries").map((message) => message.to)).toEqual([2, 3]);
});

test("B16: everything committed is applied once and in order, also while applying is slow", () => {
  const member = soloMember({ size: 1, options: { applyBytesMax: 2 } });
  becomeLeader(member);
  for (const text of ["a", "bb", "cccc", "d"]) member.core.propose([payload(text)]);
  for (let ready = member.collect(); ready !== undefined; ready = member.collect()) while (member.appends.length > 0) member.write();
  expect(member.applied.map((entry) => entry.index)).toEqual([1]);
  drain(member);
  expect(member.applied.map((entry) => entry.index)).toEqual([1, 2, 3, 4, 5]);
});

describe("B17: clients are never left without an answer", () => {
  test("B17: a proposal without a known leader is dropped with the reason", () => {
    const member = soloMember({ size: 3 });
    expect(member.core.propose([payload("x")])).toEqual({ outcome: "dropped", reason: "no_leader" });
  });

  test("B17: a follower names the leader it passed the proposal on to", () => {
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

  test("B17: a proposal that was passed on is not passed on again", () => {
    const member = soloMember({ size: 3 });
    exchange(member, heartbeat(2, { term: 1 }));
    expect(exchange(member, { type: "forwardPropose", kind: "command", from: 3, to: 1, payloads: [payload("x")] })).toEqual([]);
  });

  test("B17: granting a vote restarts the election timer, refusing one does not", () => {
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
      expect(member.core.role).toBe(isRestarted ? "follower" : "preCandidate");
    }
  });
});

test("B18: what was missing is on unless it is switched off", () => {
  expect(resolveOptions({ id: 1, electionTicks: 10, heartbeatTicks: 1 })).toMatchObject({
    preVote: true,
    checkQuorum: true,
    stepDownOnRemoval: true,
    validateChanges: true,
    changeBarrier: true,
    inflightMessagesMax: 256,
    uncommittedBytesMax: 64 * 1024 * 1024,
  });
});
