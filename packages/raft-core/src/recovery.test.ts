import { describe, expect, test } from "vitest";
import { EMPTY_CONFIGURATION, votersOnly } from "./membership/configuration.ts";
import { addVoter, changeOf } from "./testing/member-changes.ts";
import { acceptances, soloLeader } from "./testing/solo-leader.ts";
import { append, becomeLeader, drain, exchange, heartbeat, refuse, soloMember } from "./testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "./testing/test-cluster.ts";

/** An operator who lost a majority for good makes a cluster of what is left, and may lose writes by it. */

test("the last member of three goes on alone with what it has", () => {
  const cluster = new TestCluster({ size: 3 });
  cluster.elect(1);
  cluster.propose(1, "kept");
  cluster.isolate(3);
  const survivor = cluster.member(3);
  survivor.core.forgetLeader();
  expect(survivor.core.recoverUnsafely(votersOnly([3]))).toBe("done");
  expect(survivor.core.configuration).toEqual(votersOnly([3]));
  survivor.configuration = survivor.core.configuration;
  survivor.takeSnapshot(0);
  for (let tick = 0; tick < 2 * ELECTION_TICKS; tick++) survivor.core.tick();
  cluster.settle();
  cluster.propose(3, "alone");
  expect(survivor.core.status()).toMatchObject({ role: "leader", commit: 4 });
  survivor.crash(0, false);
  expect(survivor.core.configuration).toEqual(votersOnly([3]));
});

test("a member that is added afterwards learns the new configuration, also from a snapshot of the index that had one before", () => {
  const member = soloMember({ size: 3, terms: [1], commit: 1 });
  drain(member);
  member.takeSnapshot(0);
  member.core.recoverUnsafely(votersOnly([1]));
  member.core.snapshotSaved({ index: 1, term: 1, configuration: member.core.configuration });
  becomeLeader(member);
  member.core.proposeChange(changeOf(addVoter(4)));
  drain(member);
  const sent = exchange(member, refuse(4, { term: 2, index: 2, hintIndex: 0, hintTerm: 0 }));
  expect(sent).toMatchObject([{ type: "installSnapshot", to: 4, snapshot: { index: 1, configuration: votersOnly([1]) } }]);
});

test("a joint configuration that can't be left any more is replaced as well", () => {
  const member = soloMember({ size: 0, configuration: { ...votersOnly([1, 4, 5]), outgoing: [1, 2, 3] }, terms: [1], commit: 1 });
  drain(member);
  expect(member.core.recoverUnsafely(votersOnly([1]))).toBe("done");
  member.core.campaign();
  drain(member);
  expect(member.core.role).toBe("leader");
});

test("a candidate that asks in vain is a follower of nobody afterwards", () => {
  const member = soloMember({ size: 3, term: 1 });
  member.core.campaign();
  drain(member);
  expect(member.core.recoverUnsafely(votersOnly([1, 2]))).toBe("done");
  expect(member.core.status()).toMatchObject({ role: "follower", leader: 0, term: 1 });
});

describe("it is refused", () => {
  test("while a leader is known, or this member leads itself", () => {
    const follower = soloMember({ size: 3, term: 1 });
    exchange(follower, heartbeat(2, { term: 1 }));
    for (const member of [follower, soloLeader({ size: 3 })]) {
      expect(member.core.recoverUnsafely(votersOnly([1]))).toBe("leader_known");
    }
  });

  test("for a configuration that this member does not vote in", () => {
    const member = soloMember({ size: 3 });
    for (const configuration of [votersOnly([2]), { ...votersOnly([2]), learners: [1] }]) {
      expect(member.core.recoverUnsafely(configuration)).toBe("not_a_voter_of_it");
    }
  });

  test("while something committed is not applied", () => {
    const member = soloMember({ size: 3, terms: [1, 1], commit: 2 });
    expect(member.core.recoverUnsafely(votersOnly([1]))).toBe("unapplied_entries");
    drain(member);
    // Commands that nobody committed stay in the log and commit under the new configuration.
    exchange(member, append(2, { term: 1, prevIndex: 2, prevTerm: 1, terms: [1] }));
    member.core.forgetLeader();
    expect(member.core.recoverUnsafely(votersOnly([1]))).toBe("done");
  });

  test("while the log holds a change of members that is not committed", () => {
    const leader = soloLeader({ size: 3 });
    leader.core.proposeChange(changeOf(addVoter(4)));
    const change = leader.core.entryAt(2);
    if (change === undefined) throw new Error("The change is in the log");
    exchange(leader, ...acceptances(leader));
    const member = soloMember({ size: 3, term: 1 });
    exchange(member, { ...append(2, { term: 1, prevIndex: 0, prevTerm: 0 }), entries: [{ ...change, index: 1 }] });
    member.core.forgetLeader();
    expect(member.core.recoverUnsafely(votersOnly([1]))).toBe("pending_configuration");
  });
});

test("a configuration that is none, or a joint one, is refused, and so is a member that lost data", () => {
  const member = soloMember({ size: 3 });
  for (const configuration of [EMPTY_CONFIGURATION, { ...votersOnly([1]), outgoing: [1, 2, 3] }]) {
    expect(member.core.recoverUnsafely(configuration)).toBe("conf_invalid");
  }
  member.core.quarantine({ kind: "storage", description: "a checksum is wrong" });
  expect(member.core.recoverUnsafely(votersOnly([1]))).toBe("quarantined");
});
