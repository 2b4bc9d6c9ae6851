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
  refuse,
  soloMember,
  termsOf,
} from "./testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";
import type { InstallSnapshot, PeerStatus } from "./types.ts";

const configuration = { voters: [1, 2, 3] };

/** A leader of term 2 that has compacted its first four entries; follower 2 is alive, follower 3 silent. */
function compactedLeader(): TestMember {
  const member = soloMember({ size: 3, terms: [1, 1, 1] });
  becomeLeader(member);
  exchange(member, accept(2, { term: 2, index: 4 }));
  member.takeSnapshot(0);
  expect(member.core.status()).toMatchObject({ firstIndex: 5, lastIndex: 4, applied: 4 });
  return member;
}

function follower(member: TestMember, id: number): PeerStatus | undefined {
  return member.core.status().peers.find((peer) => peer.id === id);
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
    expect(follower(member, 3)).toEqual({ id: 3, state: "snapshot", match: 0, next: 5 });
    member.core.propose([payload("x")]);
    const sent = [...drain(member), ...exchange(member, heartbeatAnswer(3, { term: 2 }))];
    expect(sent.filter((message) => message.to === 3)).toEqual([]);
  });

  test("a failed transfer leads back to probing what was verified, after the next sign of life", () => {
    const member = compactedLeader();
    sendSnapshotTo3(member);
    member.core.reportSnapshot(3, false);
    expect(follower(member, 3)).toMatchObject({ state: "probe", next: 1 });
    member.core.propose([payload("x")]);
    expect(drain(member).filter((message) => message.to === 3)).toEqual([]);
    expect(ofType(exchange(member, heartbeatAnswer(3, { term: 2 })), "installSnapshot")).toHaveLength(1);
  });

  test("a finished transfer leads to probing after the snapshot, after the next sign of life", () => {
    const member = compactedLeader();
    sendSnapshotTo3(member);
    member.core.reportSnapshot(3, true);
    expect(follower(member, 3)).toMatchObject({ state: "probe", next: 5 });
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
    expect(follower(member, 3)).toEqual({ id: 3, state: "replicate", match: index, next: 7 });
    expect(sent.flatMap((message) => message.entries.map((entry) => entry.index))).toEqual(index === 4 ? [5, 6] : [6]);
  });

  test("a silent follower is not sent a snapshot until it answers a heartbeat", () => {
    const member = compactedLeader();
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    drain(member);
    expect(ofType(exchange(member, heartbeatAnswer(2, { term: 2 })), "installSnapshot")).toEqual([]);
    exchange(member, refuse(3, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }));
    expect(follower(member, 3)?.state).toBe("snapshot");
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
      expect(cluster.member(1).core.status().peers[1]?.state).toBe("snapshot");
      cluster.member(1).core.reportSnapshot(3, lost !== "installSnapshot");
      cluster.heal();
      cluster.tick(1);
      cluster.settle();
      expect(cluster.member(1).core.status().peers[1]).toMatchObject({ state: "replicate", match: 2 });
    }
  });

  test("only what a saved snapshot covers and what is applied is compacted", () => {
    const member = compactedLeader();
    expect(() => member.core.compact(5)).toThrow("Only what a snapshot covers is compacted");
    expect(() => member.core.snapshotSaved({ index: 5, term: 2, configuration })).toThrow("A snapshot holds applied entries only");
    member.core.compact(3);
    expect(member.core.status().firstIndex).toBe(5);
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
    member.core.campaign();
    expect([member.core.role, member.core.term]).toEqual(["follower", 2]);
    drain(member);
    expect(member.applied.map((entry) => entry.index)).toEqual([6]);
    member.core.campaign();
    expect(member.core.role).toBe("candidate");
  });

  test("the same snapshot again, an older one, and one without this member change nothing", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    drain(member);
    const before = member.core.status();
    const without = install(2, { term: 2, index: 9, snapshotTerm: 2 });
    const answers = exchange(
      member,
      install(2, { term: 2, index: 5, snapshotTerm: 2 }),
      install(2, { term: 2, index: 4, snapshotTerm: 2 }),
      { ...without, snapshot: { ...without.snapshot, configuration: { voters: [2, 3] } } },
    );
    expect(answers).toMatchObject([{ index: 5 }, { index: 5 }, { index: 5 }]);
    expect(member.core.status()).toEqual(before);
  });

  test("a snapshot that the log already holds only moves the commit index", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1, 1] });
    member.core.step(install(2, { term: 2, index: 3, snapshotTerm: 1 }));
    expect(member.collect()?.append?.snapshot).toBeNull();
    drain(member);
    expect(member.core.status()).toMatchObject({ commit: 3, applied: 3, lastIndex: 4 });
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

  test("an append from before the snapshot is answered by the commit index, not by a rejection", () => {
    const member = soloMember({ size: 3 });
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    drain(member);
    const answers = exchange(member, append(2, { term: 2, prevIndex: 2, prevTerm: 1, terms: [1, 1] }));
    expect(answers).toMatchObject([{ index: 5, rejected: false }]);
  });

  test("the first append after a snapshot commits no more than it verified", () => {
    const member = soloMember({ size: 3 });
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    drain(member);
    exchange(member, append(2, { term: 2, prevIndex: 5, prevTerm: 2, terms: [2], commit: 50 }));
    expect(member.core.commit).toBe(6);
    expect(termsOf(member.applied)).toEqual([2]);
  });

  test("a crash before the snapshot is durable leaves the old log, and it can be sent again", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    member.collect();
    member.crash(0, true);
    expect(member.core.lastIndex).toBe(2);
    exchange(member, heartbeat(2, { term: 2 }));
    member.receiveSnapshot(install(2, { term: 2, index: 5, snapshotTerm: 2 }), 77);
    drain(member);
    member.crash(0, true);
    expect(member.core.status()).toMatchObject({ firstIndex: 6, lastIndex: 5, applied: 5, commit: 5, term: 2 });
  });
});
