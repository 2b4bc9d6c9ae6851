import { describe, expect, test } from "vitest";
import { EMPTY_CONFIGURATION, votersOnly } from "../membership/configuration.ts";
import { addVoter, changeOf, explicitChangeOf, LEAVE_JOINT, remove } from "../testing/member-changes.ts";
import { acceptances, soloLeader } from "../testing/solo-leader.ts";
import { accept, becomeLeader, drain, exchange, ofType, soloMember, voteRequest } from "../testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "../testing/test-cluster.ts";

/** What other implementations got wrong about changes of members, as reported in their issue trackers and in papers. */

const CONF_PENDING = { outcome: "dropped", reason: "conf_pending" } as const;

describe("P32: two leaders that each change one member never have majorities that do not overlap", () => {
  test("P32: a new leader changes nobody before it committed an entry of its own term", () => {
    const member = soloMember({ size: 4, terms: [1], commit: 1 });
    drain(member);
    becomeLeader(member);
    expect(member.core.status()).toMatchObject({ applied: 1, commit: 1, lastIndex: 2 });
    expect(member.core.proposeChange(changeOf(addVoter(5)))).toEqual({ outcome: "dropped", reason: "barrier" });
    exchange(member, accept(2, { term: 2, index: 2 }), accept(3, { term: 2, index: 2 }));
    expect(member.core.proposeChange(changeOf(addVoter(5))).outcome).toBe("accepted");
  });

  test("P32: nor when what is committed has its term by chance, but is not its own", () => {
    const options = { reference: { trustMessages: true } };
    const member = soloMember({ size: 3, terms: [1], term: 0, commit: 1, options });
    drain(member);
    becomeLeader(member);
    expect(member.core.status()).toMatchObject({ term: 1, commit: 1, applied: 1 });
    expect(member.core.proposeChange(changeOf(addVoter(4)))).toEqual({ outcome: "dropped", reason: "barrier" });
  });

  test("P32: without the barrier the same leader would be allowed to", () => {
    const member = soloMember({ size: 4, terms: [1], commit: 1, options: { changeBarrier: false } });
    drain(member);
    becomeLeader(member);
    expect(member.core.proposeChange(changeOf(addVoter(5))).outcome).toBe("accepted");
  });
});

describe("P33: one change at a time", () => {
  test("P33: until the one before is applied, not only committed", () => {
    const member = soloLeader({ size: 3 });
    member.core.proposeChange(changeOf(addVoter(4)));
    expect(member.core.proposeChange(changeOf(addVoter(5)))).toEqual(CONF_PENDING);
    member.collect();
    member.write();
    for (const acceptance of acceptances(member)) member.core.step(acceptance);
    member.collect();
    expect([member.core.commit, member.applies.length]).toEqual([2, 1]);
    expect(member.core.proposeChange(changeOf(addVoter(5)))).toEqual(CONF_PENDING);
    member.apply();
    expect(member.core.proposeChange(changeOf(addVoter(5))).outcome).toBe("accepted");
  });

  test("P33: also for a leader that can't know whether its log holds one", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    becomeLeader(member);
    expect(member.core.proposeChange(changeOf(addVoter(4)))).toEqual(CONF_PENDING);
    exchange(member, ...acceptances(member));
    expect(member.core.proposeChange(changeOf(addVoter(4))).outcome).toBe("accepted");
  });
});

describe("P34: a change commits by the members before it", () => {
  test("P34: an added voter's answer does not help to commit its own addition", () => {
    const member = soloLeader({ size: 3 });
    member.core.proposeChange(changeOf(addVoter(4)));
    drain(member);
    exchange(member, accept(4, { term: 1, index: 2 }));
    expect(member.core.commit).toBe(1);
    exchange(member, accept(2, { term: 1, index: 2 }));
    expect([member.core.commit, member.core.configuration]).toEqual([2, votersOnly([1, 2, 3, 4])]);
  });

  test("P34: a removed voter is still needed for its own removal", () => {
    const member = soloLeader({ size: 2 });
    member.core.proposeChange(changeOf(remove(2)));
    drain(member);
    expect([member.core.commit, member.core.configuration]).toEqual([1, votersOnly([1, 2])]);
    exchange(member, accept(2, { term: 1, index: 2 }));
    expect([member.core.commit, member.core.configuration]).toEqual([2, votersOnly([1])]);
  });
});

describe("P35: a joint configuration is left when it is in force, by whoever leads then", () => {
  test("P35: by a new leader that inherited the change uncommitted, and by nobody twice", () => {
    const cluster = new TestCluster({ size: 4, configuration: votersOnly([1, 2, 3]) });
    cluster.elect(1);
    cluster.passes = ({ from, to, type }) => (from === 1 && to === 2) || type === "requestVote";
    cluster.member(1).core.proposeChange(changeOf(addVoter(4), remove(3)));
    cluster.settle();
    expect([cluster.member(1).core.commit, cluster.member(2).core.lastIndex]).toEqual([1, 2]);
    cluster.isolate(1);
    cluster.elect(2);
    for (const id of [2, 4]) expect(cluster.member(id).core.configuration).toEqual(votersOnly([1, 2, 4]));
    const changes = cluster.member(2).applied.filter((entry) => entry.kind === "configuration");
    expect(changes.map((entry) => entry.term)).toEqual([1, 2]);
  });

  test("P35: leaving what is left already changes nothing", () => {
    const member = soloLeader({ size: 3 });
    expect(member.core.applyChange(LEAVE_JOINT)).toEqual(votersOnly([1, 2, 3]));
    expect(member.core.proposeChange(LEAVE_JOINT)).toEqual({ outcome: "dropped", reason: "conf_not_joint" });
  });
});

describe("P36: a leader that removed itself", () => {
  test("P36: leads until its removal is applied, then follows, and the others elect", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).core.proposeChange(changeOf(remove(1)));
    expect(cluster.member(1).core.role).toBe("leader");
    cluster.settle();
    expect(cluster.member(1).core.status()).toMatchObject({ role: "follower", leader: 0 });
    for (const id of [2, 3]) expect(cluster.member(id).core.configuration).toEqual(votersOnly([2, 3]));
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) {
      for (const id of [1, 2, 3]) cluster.tick(id);
      cluster.settle();
    }
    expect(cluster.members.map((member) => member.core.role).filter((role) => role === "leader")).toHaveLength(1);
    expect([cluster.member(1).core.role, cluster.member(1).core.term]).toEqual(["follower", 1]);
  });

  test("P36: without stepping down it goes on for the others, but counts itself for nothing and takes no proposals", () => {
    const member = soloLeader({ size: 3, options: { stepDownOnRemoval: false } });
    member.core.propose([payload("before")]);
    member.core.proposeChange(changeOf(remove(1)));
    drain(member);
    exchange(member, accept(2, { term: 1, index: 3 }));
    expect(member.core.status()).toMatchObject({ role: "leader", commit: 3, configuration: votersOnly([2, 3]) });
    expect(member.core.propose([payload("x")])).toEqual({ outcome: "dropped", reason: "removed" });
    expect(member.core.proposeChange(changeOf(addVoter(1)))).toEqual({ outcome: "dropped", reason: "removed" });
    member.core.tick();
    expect(ofType(drain(member), "heartbeat").map((message) => message.to)).toEqual([2, 3]);
  });
});

/** That a promotion waits until the learner has caught up is the driver's rule: only it knows how much lag is too much. */
test("P37: who still believes to be a learner, or to be nobody, answers the votes that the others' newer configuration needs", () => {
  for (const configuration of [{ ...votersOnly([2, 3]), learners: [1] }, votersOnly([2, 3]), EMPTY_CONFIGURATION]) {
    const member = soloMember({ size: 0, configuration, terms: [1], options: { preVote: false } });
    expect(exchange(member, voteRequest(3, { term: 2, lastIndex: 1, lastTerm: 1 }))).toMatchObject([{ to: 3, granted: true }]);
  }
});

describe("P38: fewer voters", () => {
  test("P38: commit what waits as soon as the change is applied", () => {
    const member = soloLeader({ size: 4 });
    member.core.proposeChange(changeOf(remove(4)));
    member.core.propose([payload("x")]);
    drain(member);
    exchange(member, accept(2, { term: 1, index: 3 }), accept(3, { term: 1, index: 2 }));
    expect([member.core.configuration, member.core.commit]).toEqual([votersOnly([1, 2, 3]), 3]);
  });

  test("P38: are never none", () => {
    const member = soloLeader({ size: 1 });
    for (const change of [changeOf(remove(1)), explicitChangeOf(remove(1))]) {
      expect(member.core.proposeChange(change)).toEqual({ outcome: "dropped", reason: "conf_invalid" });
    }
    expect(member.core.applyChange(changeOf(remove(1)))).toEqual(votersOnly([1]));
  });
});
