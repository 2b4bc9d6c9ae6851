import { describe, expect, test } from "vitest";
import { EMPTY_CONFIGURATION, votersOnly } from "./membership/configuration.ts";
import type { InstallSnapshot } from "./messages.ts";
import { addLearner, addVoter, changeOf } from "./testing/member-changes.ts";
import { peerStatus, soloLeader } from "./testing/solo-leader.ts";
import { accept, append, becomeLeader, drain, exchange, heartbeatAnswer, ofType, refuse, soloMember } from "./testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";
import type { Configuration } from "./types.ts";

const configuration = votersOnly([1, 2, 3]);

/** A leader of term 2 that has compacted its first four entries; follower 2 is alive, follower 3 silent. */
function compactedLeader(): TestMember {
  const member = soloMember({ size: 3, terms: [1, 1, 1] });
  becomeLeader(member);
  exchange(member, accept(2, { term: 2, index: 4 }));
  member.takeSnapshot(0);
  expect(member.core.status()).toMatchObject({ firstIndex: 5, lastIndex: 4, applied: 4 });
  return member;
}

/** Member 3 turns out to have nothing. */
function sendSnapshotTo3(member: TestMember): readonly InstallSnapshot[] {
  return ofType(exchange(member, refuse(3, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 })), "installSnapshot");
}

function install(from: number, body: { readonly term: number; readonly index: number; readonly snapshotTerm: number }): InstallSnapshot {
  return { type: "installSnapshot", from, to: 1, term: body.term, snapshot: { index: body.index, term: body.snapshotTerm, configuration } };
}

describe("at the leader", () => {
  test("a follower behind the compacted log is sent a snapshot, and nothing else while it is under way", () => {
    const member = compactedLeader();
    expect(sendSnapshotTo3(member)).toMatchObject([{ to: 3, term: 2, snapshot: { index: 4, term: 2 } }]);
    expect(peerStatus(member, 3)).toMatchObject({ state: "snapshot", match: 0, next: 5, pendingSnapshot: 4, isPaused: true });
    member.core.propose([payload("x")]);
    const sent = [...drain(member), ...exchange(member, heartbeatAnswer(3, { term: 2 }))];
    expect(sent.filter((message) => message.to === 3)).toEqual([]);
  });

  test("a failed transfer leads back to probing what was verified, after the next sign of life", () => {
    const member = compactedLeader();
    sendSnapshotTo3(member);
    member.core.reportSnapshot(3, false);
    expect(peerStatus(member, 3)).toMatchObject({ state: "probe", next: 1 });
    member.core.propose([payload("x")]);
    expect(drain(member).filter((message) => message.to === 3)).toEqual([]);
    expect(ofType(exchange(member, heartbeatAnswer(3, { term: 2 })), "installSnapshot")).toHaveLength(1);
  });

  test("a finished transfer leads to probing after the snapshot, after the next sign of life", () => {
    const member = compactedLeader();
    sendSnapshotTo3(member);
    member.core.reportSnapshot(3, true);
    expect(peerStatus(member, 3)).toMatchObject({ state: "probe", next: 5 });
    member.core.propose([payload("x")]);
    expect(drain(member).filter((message) => message.to === 3)).toEqual([]);
    expect(exchange(member, heartbeatAnswer(3, { term: 2 }))).toMatchObject([{ type: "appendEntries", to: 3, prevIndex: 4 }]);
  });

  test.each([4, 5])("an answer at %i, at or above the snapshot, ends it and the leader's own entries follow", (index) => {
    const member = compactedLeader();
    sendSnapshotTo3(member);
    for (const text of ["a", "b"]) member.core.propose([payload(text)]);
    drain(member);
    const sent = ofType(exchange(member, accept(3, { term: 2, index })), "appendEntries").filter((message) => message.to === 3);
    expect(peerStatus(member, 3)).toMatchObject({ state: "replicate", match: index, next: 7 });
    expect(sent.flatMap((message) => message.entries.map((entry) => entry.index))).toEqual(index === 4 ? [5, 6] : [6]);
  });

  test("an answer below the snapshot ends it too if it still connects to the log", () => {
    const member = soloLeader({ size: 3, terms: [1, 1, 1] });
    for (let i = 0; i < 4; i++) member.core.propose([payload("x")]);
    drain(member);
    exchange(member, accept(2, { term: 2, index: 8 }));
    member.takeSnapshot(2);
    member.core.proposeChange(changeOf(addLearner(4)));
    drain(member);
    exchange(member, accept(2, { term: 2, index: 9 }));
    exchange(member, refuse(4, { term: 2, index: 8, hintIndex: 0, hintTerm: 0 }));
    expect([member.core.status().firstIndex, peerStatus(member, 4).pendingSnapshot]).toEqual([7, 8]);
    exchange(member, accept(4, { term: 2, index: 5 }));
    expect(peerStatus(member, 4).state).toBe("snapshot");
    exchange(member, accept(4, { term: 2, index: 6 }));
    expect(peerStatus(member, 4)).toMatchObject({ state: "replicate", match: 6 });
  });

  test("a new member is sent the snapshot at once, also if the log holds nothing after it", () => {
    const member = soloLeader({ size: 3, terms: [1, 1] });
    member.core.proposeChange(changeOf(addVoter(4)));
    drain(member);
    exchange(member, accept(2, { term: 2, index: 4 }));
    member.takeSnapshot(0);
    const sent = exchange(member, refuse(4, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }));
    expect(ofType(sent, "installSnapshot")).toMatchObject([{ to: 4, snapshot: { index: 4, configuration: votersOnly([1, 2, 3, 4]) } }]);
    exchange(member, accept(4, { term: 2, index: 4 }));
    expect(peerStatus(member, 4)).toMatchObject({ state: "replicate", match: 4, next: 5 });
  });

  test("a silent follower is not sent a snapshot until it answers a heartbeat", () => {
    const member = compactedLeader();
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    drain(member);
    expect(ofType(exchange(member, heartbeatAnswer(2, { term: 2 })), "installSnapshot")).toEqual([]);
    exchange(member, refuse(3, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }));
    expect(peerStatus(member, 3).state).toBe("snapshot");
  });

  test("a follower that fell silent is not sent a snapshot before it answers again", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1] });
    becomeLeader(member);
    exchange(member, accept(3, { term: 2, index: 1 }), accept(2, { term: 2, index: 4 }));
    member.takeSnapshot(0);
    member.core.reportUnreachable(3);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    member.core.propose([payload("x")]);
    expect(ofType(drain(member), "installSnapshot")).toEqual([]);
    expect(ofType(exchange(member, heartbeatAnswer(3, { term: 2 })), "installSnapshot")).toMatchObject([{ to: 3 }]);
  });

  test("entries compacted under a probe turn it into a snapshot", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    for (let i = 0; i < 100; i++) cluster.propose(1, `entry ${i}`);
    cluster.member(1).core.reportUnreachable(3);
    cluster.member(1).takeSnapshot(0);
    cluster.propose(1, "after");
    cluster.member(1).core.reportSnapshot(3, false);
    cluster.heal();
    cluster.tick(1);
    cluster.settle();
    expect(cluster.member(3).core.commit).toBe(102);
    cluster.propose(1, "and on");
    expect(cluster.member(3).applied.at(-1)?.index).toBe(103);
    expect(cluster.member(3).state).toBe(cluster.member(1).state);
  });

  test("a lost snapshot and a lost answer are repeated", () => {
    for (const lost of ["installSnapshot", "appendEntriesResponse"] as const) {
      const cluster = new TestCluster({ size: 3 });
      cluster.elect(1);
      cluster.isolate(3);
      cluster.propose(1, "x");
      cluster.member(1).takeSnapshot(0);
      cluster.passes = (message) => message.type !== lost || (message.from !== 3 && message.to !== 3);
      if (lost === "appendEntriesResponse") cluster.passes = (message) => message.type !== lost || message.from !== 3 || message.rejected;
      cluster.tick(1);
      cluster.settle();
      expect(peerStatus(cluster.member(1), 3).state).toBe("snapshot");
      cluster.member(1).core.reportSnapshot(3, lost !== "installSnapshot");
      cluster.heal();
      cluster.tick(1);
      cluster.settle();
      expect(peerStatus(cluster.member(1), 3)).toMatchObject({ state: "replicate", match: 2 });
    }
  });
});

describe("at the follower", () => {
  test("a snapshot replaces the whole log, also what lies beyond it, and is answered when it is durable", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1, 1, 1] });
    member.receiveSnapshot(install(2, { term: 2, index: 3, snapshotTerm: 2 }), 77);
    const ready = member.collect();
    expect(ready?.messages).toEqual([]);
    expect(ready?.append).toMatchObject({
      snapshot: { index: 3 },
      mustSync: true,
      messages: [{ type: "appendEntriesResponse", index: 3 }],
    });
    expect(member.core.status()).toMatchObject({ commit: 3, applied: 0, firstIndex: 4, lastIndex: 3 });
    member.write();
    expect(member.core.status()).toMatchObject({ commit: 3, applied: 3 });
    expect(member.state).toBe(77);
    expect(member.collect()).toBeUndefined();
  });

  test("while it is being stored nothing is applied and no election starts", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    member.core.step(append(2, { term: 2, prevIndex: 5, prevTerm: 2, terms: [2], commit: 6 }));
    expect(member.collect()?.apply).toBeNull();
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.campaign()).toBe("unpromotable");
    expect([member.core.role, member.core.term]).toEqual(["follower", 2]);
    drain(member);
    expect(member.applied.map((entry) => entry.index)).toEqual([6]);
    expect(member.core.campaign()).toBe("started");
  });

  test("the same snapshot again and an older one change nothing", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    drain(member);
    const before = member.core.status();
    const answers = exchange(member, ...[5, 4].map((index) => install(2, { term: 2, index, snapshotTerm: 2 })));
    expect(answers).toMatchObject([{ index: 5 }, { index: 5 }]);
    expect(member.core.status()).toEqual(before);
  });

  test("a snapshot from before this member was added is taken, but not where the reference is followed", () => {
    for (const refuseSnapshotsWithoutSelf of [false, true]) {
      const member = soloMember({ size: 0, configuration: EMPTY_CONFIGURATION, options: { reference: { refuseSnapshotsWithoutSelf } } });
      const snapshot = { index: 5, term: 2, configuration: votersOnly([2, 3]) };
      member.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 2, snapshot }, 7);
      const index = refuseSnapshotsWithoutSelf ? 0 : 5;
      expect(drain(member)).toMatchObject([{ type: "appendEntriesResponse", index, rejected: false }]);
      expect(member.core.status()).toMatchObject({ lastIndex: index, commit: index });
    }
  });

  test("a second snapshot may follow while the first is being stored", () => {
    const member = soloMember({ size: 3, terms: [1] });
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    member.collect();
    member.receiveSnapshot(install(2, { term: 2, index: 8, snapshotTerm: 2 }), 88);
    member.collect();
    member.write();
    expect(member.core.status()).toMatchObject({ applied: 5, commit: 8, firstIndex: 9 });
    expect(member.collect()).toBeUndefined();
    drain(member);
    expect(member.core.status()).toMatchObject({ applied: 8, commit: 8 });
    expect(member.state).toBe(88);
  });

  test("entries that were being applied when the snapshot came are reported late and change nothing", () => {
    const member = soloMember({ size: 3, terms: [1, 1], commit: 2 });
    const job = member.core.ready()?.apply;
    if (!job) throw new Error("The entries are handed out");
    member.core.step(install(2, { term: 2, index: 5, snapshotTerm: 2 }));
    const append = member.core.ready()?.append;
    if (!append) throw new Error("The snapshot is handed out");
    member.core.appended(append);
    expect(member.core.appliedIndex).toBe(5);
    member.core.applied(job);
    expect([member.core.appliedIndex, member.core.hasReady]).toEqual([5, false]);
  });

  test("a snapshot that was sent before a longer one has come meanwhile is ignored, though a later leader sends it", () => {
    const member = soloMember({ size: 3, terms: [1] });
    member.receiveSnapshot(install(2, { term: 2, index: 8, snapshotTerm: 2 }), 88);
    member.collect();
    member.receiveSnapshot(install(3, { term: 3, index: 5, snapshotTerm: 2 }), 77);
    drain(member);
    expect([member.core.status().applied, member.state]).toEqual([8, 88]);
  });

  const learner1: Configuration = { ...votersOnly([2, 3]), learners: [1] };
  const leaving1: Configuration = { ...EMPTY_CONFIGURATION, voters: [2, 3], outgoing: [1, 2, 3], learnersNext: [1] };
  test.each<readonly [string, Configuration, Configuration]>([
    ["keeps a learner a learner", learner1, learner1],
    ["makes a voter of a learner", learner1, votersOnly([1, 2, 3])],
    ["makes a learner of a voter", votersOnly([1, 2, 3]), learner1],
    ["finds a voter of the half that is being left", votersOnly([1, 2, 3]), leaving1],
  ])("a snapshot %s, according to the members it names", (_, before, after) => {
    const member = soloMember({ size: 0, configuration: before, terms: [1] });
    member.receiveSnapshot(
      { ...install(2, { term: 2, index: 5, snapshotTerm: 2 }), snapshot: { index: 5, term: 2, configuration: after } },
      7,
    );
    drain(member);
    expect(member.core.configuration).toEqual(after);
    expect(member.core.campaign()).toBe(after === learner1 ? "unpromotable" : "started");
  });
});

describe("applied entries that no snapshot covers", () => {
  test("are forgotten by a leader only when everybody else has them", () => {
    const member = soloLeader({ size: 3, terms: [1, 1] });
    member.takeSnapshot(5);
    member.core.propose([payload("x"), payload("y")]);
    drain(member);
    exchange(member, accept(2, { term: 2, index: 5 }));
    member.core.forgetApplied(5);
    expect(member.core.status()).toMatchObject({ applied: 5, firstIndex: 4 });
    exchange(member, accept(3, { term: 2, index: 4 }));
    member.core.forgetApplied(5);
    expect(member.core.status().firstIndex).toBe(5);
  });

  test("stay with a leader when a member has lost its store", () => {
    const member = soloLeader({ size: 3, terms: [1, 1] });
    member.takeSnapshot(5);
    member.core.peerLostStore(3);
    member.core.forgetApplied(3);
    expect(member.core.status().firstIndex).toBe(1);
  });

  test("are not forgotten before they are applied", () => {
    const member = forgetfulFollower();
    member.core.forgetApplied(4);
    expect(member.core.status()).toMatchObject({ applied: 3, firstIndex: 4, lastIndex: 4 });
  });

  test("are not forgotten by a member that never took a snapshot", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 3 });
    drain(member);
    member.core.forgetApplied(3);
    expect(member.core.status()).toMatchObject({ applied: 3, firstIndex: 1 });
  });

  test("reach who lacks them by a snapshot, once one is taken that goes as far as the log", () => {
    const member = forgetfulFollower();
    becomeLeader(member);
    exchange(member, accept(2, { term: 2, index: 5 }));
    const [first] = ofType(exchange(member, refuse(3, { term: 2, index: 4, hintIndex: 0, hintTerm: 0 })), "installSnapshot");
    expect(first).toMatchObject({ to: 3, snapshot: { index: 2 } });
    member.takeSnapshot(0);
    member.core.reportSnapshot(3, false);
    const [second] = ofType(exchange(member, heartbeatAnswer(3, { term: 2 })), "installSnapshot");
    expect(second).toMatchObject({ to: 3, snapshot: { index: 5 } });
  });
});

/** A follower that has applied three of its four entries and forgotten those, but has a snapshot of only two. */
function forgetfulFollower(): TestMember {
  const member = soloMember({ size: 3, terms: [1, 1, 1, 1], commit: 2 });
  drain(member);
  member.takeSnapshot(5);
  exchange(member, append(2, { term: 1, prevIndex: 4, prevTerm: 1, commit: 3 }));
  member.core.forgetApplied(3);
  return member;
}
