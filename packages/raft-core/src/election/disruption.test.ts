import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import type { PeerMessage } from "../messages.ts";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { accept, drain, exchange, heartbeat, soloMember, termsOf, vote } from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { NodeId } from "../types.ts";

/** Elections of whole clusters in which members are gone, deaf, mute, late or at odds. */

function highest({ members }: TestCluster): { readonly term: number; readonly commit: number } {
  return { term: Math.max(...members.map(({ core }) => core.term)), commit: Math.max(...members.map(({ core }) => core.commit)) };
}

const withAndWithoutPreVotes = [{ preVote: true }, { preVote: false }];

describe.each(withAndWithoutPreVotes)("with %j", (options) => {
  test.each<readonly [number, readonly NodeId[], boolean]>([
    [1, [], true],
    [3, [], true],
    [3, [3], true],
    [3, [2, 3], false],
    [4, [4], true],
    [4, [3, 4], false],
    [5, [4, 5], true],
    [5, [3, 4, 5], false],
  ])("of %i members without %j a candidate wins: %s", (size, dead, wins) => {
    const cluster = new TestCluster({ size, options });
    cluster.isolate(...dead);
    cluster.elect(1);
    expect(leadersOf(cluster)).toEqual(wins ? [1] : []);
    expect(cluster.member(1).core.term).toBe(options.preVote && !wins ? 0 : 1);
  });

  test("each member in turn can be elected", () => {
    const cluster = new TestCluster({ size: 5, options: { ...options, checkQuorum: false } });
    for (const id of [1, 2, 3, 4, 5]) {
      cluster.elect(id);
      expect(leadersOf(cluster)).toEqual([id]);
      for (const member of cluster.members) expect(member.core.status()).toMatchObject({ leader: id, term: id, commit: id });
    }
  });

  test("entries of a short-lived leader that nobody committed give way, though they are newer than some", () => {
    const cluster = new TestCluster({ size: 5, options, terms: { 1: [1], 2: [1], 3: [1, 2], 4: [1], 5: [1] }, term: 2 });
    cluster.isolate(3);
    cluster.elect(1);
    expect(leadersOf(cluster)).toEqual([1]);
    cluster.heal();
    passTime(cluster, 2);
    for (const member of cluster.members) expect(termsOf(member.disk.entries)).toEqual([1, 3]);
  });

  test("a split vote is resolved by the next time-outs", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const cluster = new TestCluster({ size: 4, options, seed });
      for (const id of [1, 2]) cluster.member(id).core.campaign();
      cluster.passes = ({ from, to }) => (from <= 2 || to <= 2) && from % 2 === to % 2;
      cluster.settle();
      cluster.heal();
      passTime(cluster, 8 * ELECTION_TICKS);
      expect(leadersOf(cluster)).toHaveLength(1);
    }
  });

  test("a candidate concedes to who was elected, and its log is repaired", () => {
    const cluster = new TestCluster({ size: 3, options, terms: { 1: [1], 2: [1], 3: [1, 1] }, term: 1 });
    cluster.isolate(3);
    cluster.member(3).core.campaign();
    cluster.settle();
    cluster.elect(1);
    cluster.propose(1, "x");
    cluster.heal();
    passTime(cluster, 4 * ELECTION_TICKS);
    const [leader = 0] = leadersOf(cluster);
    expect(leadersOf(cluster)).toHaveLength(1);
    expect(cluster.member(3).disk.entries).toEqual(cluster.member(leader).disk.entries);
    expect(termsOf(cluster.member(3).applied).slice(0, 3)).toEqual([1, 2, 2]);
  });

  /** Which way messages do not pass: from the first to the second. */
  const oneWay: readonly (readonly [string, number, readonly (readonly [NodeId, NodeId])[]])[] = [
    ["a leader that one follower does not hear", 3, [[1, 3]]],
    ["a leader that does not hear one follower", 3, [[3, 1]]],
    [
      "two members that are cut off from each other",
      3,
      [
        [1, 2],
        [2, 1],
      ],
    ],
    [
      "a member that hears nobody",
      3,
      [
        [1, 3],
        [2, 3],
      ],
    ],
    [
      "a member that nobody hears",
      3,
      [
        [3, 1],
        [3, 2],
      ],
    ],
    [
      "five of whom two are deaf to the leader",
      5,
      [
        [1, 4],
        [1, 5],
      ],
    ],
    [
      "five of whom two hear nobody",
      5,
      [
        [1, 4],
        [2, 4],
        [3, 4],
        [5, 4],
        [1, 5],
        [2, 5],
        [3, 5],
        [4, 5],
      ],
    ],
    [
      "five in two halves that share one member",
      5,
      [
        [1, 4],
        [1, 5],
        [2, 4],
        [2, 5],
        [4, 1],
        [5, 1],
        [4, 2],
        [5, 2],
      ],
    ],
  ];

  test.each(oneWay)("%s: there is a stable leader in the end", (_, size, cuts) => {
    for (let seed = 1; seed <= 5; seed++) {
      const cluster = new TestCluster({ size, options, seed });
      cluster.elect(1);
      cluster.passes = ({ from, to }: PeerMessage) => !cuts.some(([source, target]) => source === from && target === to);
      passTime(cluster, 20 * ELECTION_TICKS);
      const before = highest(cluster);
      for (let tick = 0; tick < 20 * ELECTION_TICKS; tick++) {
        passTime(cluster, 1);
        for (const id of leadersOf(cluster)) cluster.propose(id, "x");
      }
      const after = highest(cluster);
      expect(after.commit - before.commit).toBeGreaterThan(10 * ELECTION_TICKS);
      expect(after.term - before.term).toBeLessThanOrEqual(options.preVote ? 0 : 20 * ELECTION_TICKS);
    }
  });
});

test("a learner never campaigns, also not when it is told to", () => {
  const member = soloMember({ size: 0, configuration: { ...votersOnly([2, 3]), learners: [1] }, term: 1 });
  exchange(member, heartbeat(2, { term: 1 }), { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false });
  for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
  expect(member.core.campaign()).toBe("unpromotable");
  expect([member.core.role, member.core.term, drain(member)]).toEqual(["follower", 1, []]);
});

test("old messages change nothing and are answered only where that frees somebody", () => {
  const member = soloMember({ size: 3, terms: [1, 1], term: 4 });
  drain(member);
  const before = member.core.status();
  const old: readonly PeerMessage[] = [
    vote(2, { term: 3 }),
    accept(2, { term: 3, index: 2 }),
    { type: "timeoutNow", from: 2, to: 1, term: 3, isResigning: false },
    { type: "transferLeadership", from: 2, to: 1, term: 3, target: 2 },
    {
      type: "installSnapshot",
      from: 2,
      to: 1,
      term: 3,
      snapshot: { index: 9, term: 3, configuration: votersOnly([1, 2, 3]) },
    },
  ];
  expect(exchange(member, ...old)).toEqual([]);
  expect(member.core.status()).toEqual(before);
  expect(exchange(member, heartbeat(2, { term: 3 }))).toMatchObject([{ type: "appendEntriesResponse", to: 2, term: 4 }]);
});
