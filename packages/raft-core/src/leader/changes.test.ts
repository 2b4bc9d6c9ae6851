import { describe, expect, test } from "vitest";
import { trackedIds, votersOnly } from "../membership/configuration.ts";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { addLearner, addVoter, changeOf, explicitChangeOf, LEAVE_JOINT, remove } from "../testing/member-changes.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { acceptances, peerStatus, sentTo, soloLeader } from "../testing/solo-leader.ts";
import { accept, becomeLeader, drain, exchange, heartbeatAnswer, soloMember } from "../testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import type { Configuration, ConfigurationChange } from "../types.ts";

/** Changes of members, one at a time (dissertation 4.1) or through a joint configuration (4.3). */

const X = [payload("x")];
const three = votersOnly([1, 2, 3]);

/** Proposes a change, which everybody acknowledges: it is in force. */
function change(leader: TestMember, wanted: ConfigurationChange): Configuration {
  expect(leader.core.proposeChange(wanted).outcome).toBe("accepted");
  drain(leader);
  exchange(leader, ...acceptances(leader));
  return leader.core.configuration;
}

describe("a change is refused", () => {
  const joint: Configuration = { ...votersOnly([1, 2, 4]), outgoing: [1, 2, 3] };

  test.each<readonly [string, Configuration, ConfigurationChange, string]>([
    ["while the configuration is joint, unless it leaves it", joint, changeOf(addVoter(5)), "conf_joint"],
    ["while the configuration is joint, also if it is a joint one", joint, explicitChangeOf(addVoter(5)), "conf_joint"],
    ["when there is nothing to leave", three, LEAVE_JOINT, "conf_not_joint"],
    ["when nobody would be left", votersOnly([1]), changeOf(remove(1)), "conf_invalid"],
  ])("%s", (_, configuration, wanted, reason) => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 0, configuration, options: { onEvent: events.sink } });
    const before = member.core.lastIndex;
    expect(member.core.proposeChange(wanted)).toEqual({ outcome: "dropped", reason });
    expect(member.core.lastIndex).toBe(before);
    expect(events.ofType("changeRefused")).toEqual([
      { type: "changeRefused", change: wanted, configuration, reason, pendingIndex: 0, applied: 1 },
    ]);
  });

  test("for want of quota, after which another one may follow", () => {
    const member = soloLeader({ size: 3, options: { uncommittedBytesMax: 10 } });
    member.core.propose(X);
    expect(member.core.proposeChange(changeOf(addVoter(4)))).toEqual({ outcome: "dropped", reason: "quota" });
    exchange(member, ...acceptances(member));
    expect(change(member, changeOf(addVoter(4)))).toEqual(votersOnly([1, 2, 3, 4]));
  });

  test("to a new leader until everything before its term is applied", () => {
    const member = soloMember({ size: 3, terms: [1, 1], options: { changeBarrier: false } });
    becomeLeader(member);
    expect(member.core.proposeChange(changeOf(addVoter(4)))).toEqual({ outcome: "dropped", reason: "conf_pending" });
    exchange(member, accept(2, { term: 2, index: 3 }));
    expect(member.core.proposeChange(changeOf(addVoter(4))).outcome).toBe("accepted");
  });

  test("by nobody where refusals are switched off", () => {
    const member = soloLeader({ size: 3, options: { validateChanges: false } });
    for (const wanted of [changeOf(addVoter(4)), changeOf(addVoter(5)), LEAVE_JOINT, changeOf(remove(1), remove(2), remove(3))]) {
      expect(member.core.proposeChange(wanted).outcome).toBe("accepted");
    }
  });

  test("and becomes an empty entry where the reference is followed", () => {
    const member = soloLeader({ size: 3, options: { reference: { refusedChangeBecomesEmpty: true } } });
    expect(member.core.proposeChange(LEAVE_JOINT)).toEqual({ outcome: "accepted", term: 1, firstIndex: 2, lastIndex: 2 });
    expect(member.core.entryAt(2)).toMatchObject({ kind: "command", data: new Uint8Array(0) });
  });
});

describe("a change in force", () => {
  test("adds, promotes, demotes and removes, and says nothing new when it is repeated", () => {
    const member = soloLeader({ size: 3 });
    const steps: readonly (readonly [ConfigurationChange, Configuration])[] = [
      [changeOf(addLearner(4)), { ...three, learners: [4] }],
      [changeOf(addLearner(4)), { ...three, learners: [4] }],
      [changeOf(addVoter(4)), votersOnly([1, 2, 3, 4])],
      [changeOf(addVoter(4)), votersOnly([1, 2, 3, 4])],
      [changeOf(addLearner(3)), { ...votersOnly([1, 2, 4]), learners: [3] }],
      [changeOf(remove(3)), votersOnly([1, 2, 4])],
      [changeOf(remove(3)), votersOnly([1, 2, 4])],
      [changeOf({ type: "update", id: 2 }), votersOnly([1, 2, 4])],
    ];
    for (const [wanted, expected] of steps) {
      expect(change(member, wanted)).toEqual(expected);
      const standings = trackedIds(expected).map((id) => [id, expected.learners.includes(id)]);
      expect(member.core.status().peers.map((peer) => [peer.id, peer.isLearner])).toEqual(standings);
    }
  });

  test("lets the leader send to a new member at once, which counts as alive", () => {
    const member = soloLeader({ size: 3 });
    member.core.proposeChange(changeOf(addLearner(4)));
    drain(member);
    const sent = exchange(member, accept(2, { term: 1, index: 2 }));
    expect(sentTo(sent, 4)).toMatchObject([{ type: "appendEntries", prevIndex: 1, entries: [{ index: 2 }] }]);
    expect(peerStatus(member, 4)).toMatchObject({ state: "probe", match: 0, next: 2, isActive: true, isLearner: true });
  });

  test("gives a member that was removed and added again a fresh start", () => {
    const member = soloLeader({ size: 3 });
    change(member, changeOf(remove(3)));
    expect(member.core.status().peers.map((peer) => peer.id)).toEqual([1, 2]);
    member.core.proposeChange(changeOf(addVoter(3)));
    drain(member);
    exchange(member, accept(2, { term: 1, index: 3 }));
    expect(peerStatus(member, 3)).toMatchObject({ state: "probe", match: 0, next: 3 });
  });

  test("gives a learner that is removed and added again by one change a fresh start", () => {
    const member = soloLeader({ size: 0, configuration: { ...three, learners: [4] } });
    expect(peerStatus(member, 4).match).toBe(1);
    member.core.proposeChange(explicitChangeOf(remove(4), addLearner(4)));
    drain(member);
    exchange(member, accept(2, { term: 1, index: 2 }));
    expect(peerStatus(member, 4)).toMatchObject({ match: 0, isLearner: true });
  });

  test("keeps what is known of a member whose part in it changes", () => {
    const member = soloLeader({ size: 3 });
    change(member, changeOf(addLearner(3)));
    expect(peerStatus(member, 3)).toMatchObject({ isLearner: true, match: 2 });
    change(member, changeOf(addVoter(3)));
    expect(peerStatus(member, 3)).toMatchObject({ isLearner: false, match: 3 });
  });

  test("counts by the new members from its apply on", () => {
    const member = soloLeader({ size: 3 });
    change(member, changeOf(addVoter(4)));
    member.core.propose(X);
    drain(member);
    exchange(member, accept(2, { term: 1, index: 3 }));
    expect(member.core.commit).toBe(2);
    exchange(member, accept(4, { term: 1, index: 3 }));
    expect(member.core.commit).toBe(3);
  });

  test("does not make learners count", () => {
    const member = soloLeader({ size: 3 });
    change(member, changeOf(addLearner(4)));
    member.core.propose(X);
    drain(member);
    exchange(member, accept(4, { term: 1, index: 3 }));
    expect(member.core.commit).toBe(2);
  });

  test("demotes a leader, which steps down if it is to, and leads on without counting itself if not", () => {
    for (const [stepDownOnRemoval, role, commits] of [
      [true, "follower", [2, 2]],
      [false, "leader", [2, 3]],
    ] as const) {
      const member = soloLeader({ size: 3, options: { stepDownOnRemoval } });
      member.core.proposeChange(changeOf(addLearner(1)));
      member.core.propose(X);
      drain(member);
      exchange(member, accept(2, { term: 1, index: 2 }));
      expect([member.core.role, member.core.configuration.learners]).toEqual([role, [1]]);
      const committed = [2, 3].map((from) => {
        exchange(member, accept(from, { term: 1, index: 3 }));
        return member.core.commit;
      });
      expect(committed).toEqual(commits);
    }
  });

  test("that can't be applied changes nothing, at every member alike", () => {
    const member = soloLeader({ size: 3, options: { validateChanges: false } });
    expect(change(member, changeOf(remove(1), remove(2), remove(3)))).toEqual(three);
    expect(change(member, LEAVE_JOINT)).toEqual(three);
    expect(member.core.role).toBe("leader");
  });

  test("that the driver vetoes was never made", () => {
    const member = soloLeader({ size: 3 });
    member.core.proposeChange(changeOf(addVoter(4)));
    drain(member);
    for (const acceptance of acceptances(member)) member.core.step(acceptance);
    const job = member.core.ready()?.apply;
    if (!job) throw new Error("The change is committed");
    member.core.applied(job);
    expect(member.core.configuration).toEqual(three);
    expect(member.core.proposeChange(changeOf(addVoter(5))).outcome).toBe("accepted");
  });
});

describe("a joint configuration", () => {
  const joint: Configuration = { ...votersOnly([1, 4, 5]), outgoing: [1, 2, 3] };

  test.each([
    { acknowledging: [2, 3], commits: false },
    { acknowledging: [4, 5], commits: false },
    { acknowledging: [2, 4], commits: true },
    { acknowledging: [3, 5], commits: true },
  ])("commits only what both majorities hold: with $acknowledging $commits", ({ acknowledging, commits }) => {
    const member = soloLeader({ size: 0, configuration: joint });
    member.core.propose(X);
    drain(member);
    exchange(member, ...acknowledging.map((from) => accept(from, { term: 1, index: 2 })));
    expect(member.core.commit).toBe(commits ? 2 : 1);
  });

  test("is left by itself once it is in force, after a change of several members", () => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { onEvent: events.sink } });
    expect(change(member, changeOf(addVoter(4), remove(3)))).toMatchObject({ outgoing: [1, 2, 3], autoLeave: true });
    expect(events.ofType("autoLeaveProposed")).toHaveLength(1);
    drain(member);
    exchange(member, ...acceptances(member));
    expect(member.core.configuration).toEqual(votersOnly([1, 2, 4]));
    expect(member.core.status().peers.map((peer) => peer.id)).toEqual([1, 2, 4]);
  });

  test("stays until it is told to go if that is asked for", () => {
    const member = soloLeader({ size: 3 });
    change(member, explicitChangeOf(addVoter(4), addLearner(3)));
    member.core.propose(X);
    drain(member);
    exchange(member, ...acceptances(member));
    expect(member.core.configuration).toMatchObject({ voters: [1, 2, 4], outgoing: [1, 2, 3], learnersNext: [3], autoLeave: false });
    expect(change(member, LEAVE_JOINT)).toEqual({ ...votersOnly([1, 2, 4]), learners: [3] });
  });

  test("is left by a new leader that finds itself in it", () => {
    const configuration = { ...joint, autoLeave: true };
    const member = soloLeader({ size: 0, configuration, terms: [1] });
    drain(member);
    exchange(member, ...acceptances(member));
    expect(member.core.configuration).toEqual(votersOnly([1, 4, 5]));
  });

  test("is left although the quota was used up when it came into force", () => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { uncommittedBytesMax: 30, onEvent: events.sink } });
    member.core.proposeChange(changeOf(addVoter(4), remove(3)));
    member.core.propose([new Uint8Array(4)]);
    drain(member);
    exchange(member, accept(2, { term: 1, index: 2 }));
    for (let round = 0; round < 3; round++) {
      exchange(member, ...acceptances(member));
      member.core.tick();
      drain(member);
    }
    expect(events.ofType("autoLeaveProposed")).toHaveLength(1);
    expect(member.core.configuration).toEqual(votersOnly([1, 2, 4]));
  });

  test("that can't be left during a hand-over is told of, and left after it", () => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { onEvent: events.sink, checkQuorum: false } });
    member.core.proposeChange(changeOf(addVoter(4), remove(3)));
    member.core.propose(X);
    drain(member);
    member.core.transferLeadership(2);
    exchange(member, accept(2, { term: 1, index: 2 }));
    const { configuration } = member.core;
    expect(events.ofType("autoLeaveDropped")[0]).toEqual({ type: "autoLeaveDropped", configuration, reason: "transfer_in_progress" });
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(events.ofType("autoLeaveProposed")).toEqual([{ type: "autoLeaveProposed", configuration }]);
  });

  test("keeps a leader that is in its outgoing half only until it is left", () => {
    const member = soloLeader({ size: 3 });
    change(member, explicitChangeOf(remove(1), addVoter(4)));
    expect(member.core.role).toBe("leader");
    member.core.proposeChange(LEAVE_JOINT);
    drain(member);
    exchange(member, ...acceptances(member));
    expect([member.core.role, member.core.configuration]).toEqual(["follower", votersOnly([2, 3, 4])]);
  });
});

describe("a cluster", () => {
  test("takes a change at any member, and all members agree on who they are", () => {
    const cluster = new TestCluster({ size: 5, configuration: three });
    cluster.elect(1);
    expect(cluster.member(2).core.proposeChange(changeOf(addVoter(4), addLearner(5), remove(1)))).toEqual({ outcome: "forwarded", to: 1 });
    cluster.settle();
    passTime(cluster, 3 * ELECTION_TICKS);
    const expected = { ...votersOnly([2, 3, 4]), learners: [5] };
    for (const id of [2, 3, 4, 5]) expect(cluster.member(id).core.configuration).toEqual(expected);
    const [leader = 0, ...others] = leadersOf(cluster);
    expect(others).toEqual([]);
    cluster.propose(leader, "x");
    for (const id of [2, 3, 4, 5]) expect(cluster.member(id).state).toBe(cluster.member(leader).state);
  });

  test("grows from one member to five and shrinks to another one", () => {
    const cluster = new TestCluster({ size: 5, configuration: votersOnly([1]) });
    cluster.elect(1);
    for (const id of [2, 3, 4, 5]) {
      cluster.member(1).core.proposeChange(changeOf(addVoter(id)));
      cluster.settle();
    }
    expect(cluster.members.map((member) => member.core.configuration)).toEqual(Array(5).fill(votersOnly([1, 2, 3, 4, 5])));
    cluster.member(1).core.transferLeadership(5);
    cluster.settle();
    for (const id of [1, 2, 3, 4]) {
      cluster.member(5).core.proposeChange(changeOf(remove(id)));
      cluster.settle();
    }
    cluster.propose(5, "alone");
    expect(cluster.member(5).core.status()).toMatchObject({ role: "leader", configuration: votersOnly([5]) });
    expect(cluster.member(5).core.commit).toBe(cluster.member(5).core.lastIndex);
  });

  test("goes on from a crash of everybody after any number of steps of a change", () => {
    for (let steps = 0; steps < 12; steps++) {
      const cluster = new TestCluster({ size: 4, configuration: three });
      cluster.elect(1);
      cluster.propose(1, "before");
      for (const id of [1, 2, 3]) cluster.member(id).takeSnapshot(steps % 3);
      cluster.member(1).core.proposeChange(changeOf(addVoter(4), remove(3)));
      for (let step = 0; step < steps; step++) {
        cluster.work(cluster.members[step % 4] ?? cluster.member(1));
        if (step % 2 === 1) cluster.deliverAll();
      }
      for (const member of cluster.members) member.crash(0, false);
      passTime(cluster, 12 * ELECTION_TICKS);
      const [leader = 0] = leadersOf(cluster);
      cluster.propose(leader, "after");
      passTime(cluster, 2);
      const { configuration } = cluster.member(leader).core;
      expect([three, votersOnly([1, 2, 4])]).toContainEqual(configuration);
      for (const id of configuration.voters) {
        expect(cluster.member(id).core.status()).toMatchObject({ configuration, commit: cluster.member(leader).core.commit });
        expect(cluster.member(id).state).toBe(cluster.member(leader).state);
      }
    }
  });
});

test("a member that starts from a snapshot knows the members that it names", () => {
  const member = soloLeader({ size: 3 });
  change(member, changeOf(addVoter(4)));
  member.takeSnapshot(0);
  member.crash(0, false);
  expect(member.core.configuration).toEqual(votersOnly([1, 2, 3, 4]));
});

test("what is heard or reported of a member that was removed has no effect", () => {
  const events = new RecordedEvents();
  const member = soloLeader({ size: 3, options: { onEvent: events.sink } });
  change(member, changeOf(remove(3)));
  exchange(member, heartbeatAnswer(3, { term: 1 }), accept(3, { term: 1, index: 2 }));
  expect(events.ofType("unknownSenderIgnored")).toHaveLength(2);
  member.core.reportUnreachable(3);
  member.core.reportSnapshot(3, true);
  member.core.peerLostStore(3);
  exchange(member, { type: "timeoutNow", from: 3, to: 1, term: 1, isResigning: false });
  expect(events.ofType("peerUnknown")).toHaveLength(4);
});
