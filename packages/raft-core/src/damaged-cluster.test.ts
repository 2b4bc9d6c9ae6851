import { describe, expect, test } from "vitest";
import { votersOnly } from "./membership/configuration.ts";
import { ClusterInvariants } from "./testing/cluster-invariants.ts";
import { leadersOf, passTime } from "./testing/cluster-time.ts";
import { addLearner, addVoter, changeOf, explicitChangeOf, LEAVE_JOINT, remove } from "./testing/member-changes.ts";
import { type ClusterSetup, ELECTION_TICKS, TestCluster } from "./testing/test-cluster.ts";
import type { NodeId } from "./types.ts";

/** Whole clusters in which disks lose what was acknowledged, and come back to life by themselves. */

const ALL_LOST = { undone: 0, entriesKept: 0 };

/** Member 1 leads, and everybody holds some entries. */
function ledByOne(setup: Partial<ClusterSetup> = {}): TestCluster {
  const cluster = new TestCluster({ size: 3, ...setup });
  cluster.elect(1);
  cluster.propose(1, "a", "b", "c");
  passTime(cluster, 2);
  return cluster;
}

function damage(cluster: TestCluster, ...ids: readonly NodeId[]): void {
  for (const id of ids) {
    cluster.member(id).crash(0, true);
    cluster.member(id).damage(ALL_LOST);
  }
}

function underRepair(cluster: TestCluster): readonly NodeId[] {
  return cluster.members.filter(({ core }) => core.isUnderRepair).map(({ id }) => id);
}

/** Everybody named holds and applied the same, all of it. */
function expectAgreement(cluster: TestCluster, ids: readonly NodeId[]): void {
  const [first, ...others] = ids.map((id) => cluster.member(id));
  for (const other of others) {
    expect([other.id, other.stateIndex, other.state]).toEqual([other.id, first?.stateIndex, first?.state]);
  }
}

test("a follower that lost its whole log has it back in two rounds of heartbeats, and its vote elects again", () => {
  const cluster = ledByOne();
  damage(cluster, 2);
  expect(underRepair(cluster)).toEqual([2]);
  passTime(cluster, 2);
  expect(underRepair(cluster)).toEqual([]);
  expectAgreement(cluster, [1, 2, 3]);
  cluster.isolate(1);
  passTime(cluster, 5 * ELECTION_TICKS);
  expect(leadersOf(cluster).filter((id) => id !== 1)).toHaveLength(1);
});

test("a leader that lost its log is followed by another, who repairs it", () => {
  const cluster = ledByOne();
  damage(cluster, 1);
  passTime(cluster, 5 * ELECTION_TICKS);
  expect(leadersOf(cluster)).not.toContain(1);
  expect(underRepair(cluster)).toEqual([]);
  expectAgreement(cluster, [1, 2, 3]);
});

test("a repair goes on with the next leader if the first one is lost", () => {
  const cluster = ledByOne({ size: 5 });
  damage(cluster, 2);
  cluster.passes = ({ to, type }) => !(to === 2 && type === "appendEntries");
  passTime(cluster, 3);
  expect(cluster.member(2).core.status().repair).toMatchObject({ verified: 0 });
  expect(cluster.member(2).core.status().repair?.target).toBeGreaterThan(0);
  cluster.isolate(1);
  passTime(cluster, 5 * ELECTION_TICKS);
  expect(underRepair(cluster)).toEqual([]);
  expect(cluster.member(2).core.term).toBeGreaterThan(1);
});

test("what only the leader and a damaged member held is not committed twice over: the leader commits it when the repair has ended", () => {
  const cluster = ledByOne();
  cluster.isolate(3);
  damage(cluster, 2);
  cluster.passes = ({ from, to }) => from !== 3 && to !== 3;
  cluster.propose(1, "d");
  const { lastIndex, commit } = cluster.member(1).core;
  expect(commit).toBeLessThan(lastIndex);
  passTime(cluster, 3);
  expect(cluster.member(1).core.commit).toBe(lastIndex);
});

describe("where a majority is damaged", () => {
  test("its leader repairs everybody", () => {
    const cluster = ledByOne();
    damage(cluster, 2, 3);
    passTime(cluster, 3);
    expect([leadersOf(cluster), underRepair(cluster)]).toEqual([[1], []]);
    expectAgreement(cluster, [1, 2, 3]);
  });

  test("nobody is elected without a leader, and nothing that was committed is lost", () => {
    const cluster = ledByOne();
    damage(cluster, 1, 2);
    passTime(cluster, 10 * ELECTION_TICKS);
    expect([leadersOf(cluster), underRepair(cluster)]).toEqual([[], [1, 2]]);
  });
});

describe("members change in the middle of a repair", () => {
  test("who is removed stays under repair, and leaves it when it is added again", () => {
    const cluster = ledByOne();
    damage(cluster, 3);
    cluster.passes = ({ to, type }) => !(to === 3 && type === "appendEntries");
    passTime(cluster, 2);
    cluster.member(1).core.proposeChange(changeOf(remove(3)));
    cluster.settle();
    cluster.heal();
    passTime(cluster, 2 * ELECTION_TICKS);
    expect(underRepair(cluster)).toEqual([3]);
    cluster.member(1).core.proposeChange(changeOf(addLearner(3)));
    cluster.settle();
    passTime(cluster, 3);
    expect(underRepair(cluster)).toEqual([]);
    expectAgreement(cluster, [1, 2, 3]);
  });

  test("a joint configuration is entered and left by the others", () => {
    const cluster = ledByOne({ size: 4, configuration: votersOnly([1, 2, 3]) });
    damage(cluster, 2);
    cluster.passes = ({ from, to }) => from !== 2 && to !== 2;
    cluster.member(1).core.proposeChange(explicitChangeOf(addVoter(4), remove(2)));
    cluster.settle();
    expect(cluster.member(1).core.configuration).toMatchObject({ voters: [1, 3, 4], outgoing: [1, 2, 3] });
    cluster.heal();
    passTime(cluster, 3);
    expect(underRepair(cluster)).toEqual([]);
    cluster.member(1).core.proposeChange(LEAVE_JOINT);
    cluster.settle();
    expect(cluster.member(1).core.configuration).toEqual(votersOnly([1, 3, 4]));
  });
});

test("a member that is behind the leader's compaction is repaired by a snapshot", () => {
  const cluster = ledByOne();
  cluster.member(1).takeSnapshot(0);
  damage(cluster, 2);
  passTime(cluster, 3);
  expect(underRepair(cluster)).toEqual([]);
  expect(cluster.member(2).snapshot?.meta.index).toBe(cluster.member(1).snapshot?.meta.index);
  expectAgreement(cluster, [1, 2, 3]);
});

test("a snapshot that was on its way to the member when it lost its log is sent again", () => {
  const cluster = ledByOne();
  cluster.isolate(2);
  cluster.propose(1, "d");
  cluster.member(1).takeSnapshot(0);
  cluster.passes = ({ type }) => type !== "installSnapshot";
  passTime(cluster, 2);
  damage(cluster, 2);
  cluster.heal();
  passTime(cluster, 3);
  expect(underRepair(cluster)).toEqual([]);
  expectAgreement(cluster, [1, 2, 3]);
});

test("damage before damage is repaired is repaired too", () => {
  const cluster = ledByOne();
  for (let loss = 0; loss < 3; loss++) {
    damage(cluster, 2);
    passTime(cluster, 1);
  }
  passTime(cluster, 2);
  expect(underRepair(cluster)).toEqual([]);
  expectAgreement(cluster, [1, 2, 3]);
});

test("an observer notices a repair that ends without what was acknowledged", () => {
  const cluster = ledByOne();
  const invariants = new ClusterInvariants(cluster.members);
  for (const member of cluster.members) invariants.check(member);
  const member = cluster.member(2);
  member.crash(0, true);
  const owed = member.damage(ALL_LOST);
  invariants.damaged(member, owed);
  const hasty = { id: 2, status: () => ({ ...member.status(), repair: null }), entryAt: () => undefined, durable: member, stateHash: null };
  expect(() => invariants.check(hasty)).toThrow("member 2 ends its repair without the committed entry 1");
});
