import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import { addVoter, changeOf } from "../testing/member-changes.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { acceptances, peerStatus, sentTo, soloLeader } from "../testing/solo-leader.ts";
import {
  accept,
  becomeLeader,
  drain,
  exchange,
  heartbeatAnswer,
  ofType,
  refuse,
  type SoloSetup,
  soloMember,
} from "../testing/solo-member.ts";
import { ELECTION_TICKS, payload } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** A leader whose peers mark their answers: they lost entries that they had acknowledged. */

/** Leads in term 1 with a log of `length` entries, all of which everybody holds. */
function leaderOf(length: number, setup: Partial<SoloSetup> = {}): TestMember {
  const leader = soloLeader({ size: 3, ...setup });
  for (let index = 2; index <= length; index++) leader.core.propose([payload("x")]);
  drain(leader);
  exchange(leader, ...acceptances(leader));
  return leader;
}

/** What the leader tells member 2 in its heartbeats. */
function toldToTwo(leader: TestMember): unknown {
  leader.core.tick();
  const [heartbeat] = ofType(sentTo(drain(leader), 2), "heartbeat");
  return heartbeat?.repair;
}

describe("at the first marked answer", () => {
  test("a leader forgets what the member held, and names the end of its own log", () => {
    const leader = leaderOf(5);
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 7 }));
    expect(peerStatus(leader, 2)).toMatchObject({ match: 0, state: "probe", isUnderRepair: true, isActive: true });
    expect(toldToTwo(leader)).toEqual({ id: 7, index: 5 });
  });

  test("the target stays as the log grows", () => {
    const leader = leaderOf(5);
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 7 }));
    leader.core.propose([payload("later")]);
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 7 }));
    expect(toldToTwo(leader)).toEqual({ id: 7, index: 5 });
  });

  test("a refusal tells at once where to go on", () => {
    const leader = leaderOf(5);
    const sent = exchange(leader, refuse(2, { term: 1, index: 5, hintIndex: 2, hintTerm: 1, repairId: 7 }));
    expect(ofType(sent, "appendEntries")).toMatchObject([{ to: 2, prevIndex: 2, entries: [{ index: 3 }, { index: 4 }, { index: 5 }] }]);
  });

  test("an acceptance is believed", () => {
    const leader = leaderOf(5);
    exchange(leader, accept(2, { term: 1, index: 3, repairId: 7 }));
    expect(peerStatus(leader, 2)).toMatchObject({ match: 3, state: "replicate", isUnderRepair: true });
  });

  test("a member that was being sent a snapshot is asked anew", () => {
    const leader = leaderOf(5);
    leader.takeSnapshot(0);
    exchange(leader, accept(2, { term: 1, index: 0, repairId: 7 }));
    expect(peerStatus(leader, 2).state).toBe("snapshot");
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 8 }));
    expect(peerStatus(leader, 2)).toMatchObject({ state: "probe", next: 6, pendingSnapshot: 0 });
  });

  test("a learner stays one, and is not made a voter", () => {
    const leader = leaderOf(5, { configuration: { ...votersOnly([1, 3]), learners: [2] } });
    exchange(leader, accept(2, { term: 1, index: 5, repairId: 7 }));
    expect(peerStatus(leader, 2).isLearner).toBe(true);
    expect(leader.core.proposeChange(changeOf(addVoter(2)))).toEqual({ outcome: "dropped", reason: "learner_behind" });
    exchange(leader, accept(2, { term: 1, index: 5 }));
    expect(leader.core.proposeChange(changeOf(addVoter(2)))).toMatchObject({ outcome: "accepted" });
  });

  test("a hand-over to it ends, and none is begun", () => {
    const events = new RecordedEvents();
    const leader = leaderOf(5, { options: { onEvent: events.sink } });
    leader.core.transferLeadership(2);
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 7 }));
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "target_gone" }]);
    expect(leader.core.transferLeadership(2)).toEqual({ outcome: "refused", reason: "under_repair" });
  });
});

describe("while a member is under repair", () => {
  test("what it acknowledges commits nothing", () => {
    const leader = leaderOf(2);
    leader.core.propose([payload("x")]);
    exchange(leader, accept(2, { term: 1, index: 3, repairId: 7 }));
    expect(leader.core.commit).toBe(2);
    exchange(leader, accept(3, { term: 1, index: 3 }));
    expect(leader.core.commit).toBe(3);
  });

  test.each([
    ["read", null],
    ["read by a lease", { driftPpm: 0, tickMs: 10 }],
  ])("its answers confirm no %s", (_, leaseReads) => {
    const leader = soloMember({ size: 3, options: { leaseReads } });
    leader.core.observeTime(0);
    becomeLeader(leader);
    exchange(leader, accept(3, { term: 1, index: 1 }));
    leader.core.readIndex(1);
    const readPosition = ofType(drain(leader), "heartbeat")[0]?.readPosition ?? 0;
    exchange(leader, heartbeatAnswer(2, { term: 1, readPosition, repairId: 7 }));
    expect(leader.reads).toEqual([]);
    leader.core.readIndex(2);
    drain(leader);
    expect(leader.reads).toEqual([]);
    exchange(leader, heartbeatAnswer(3, { term: 1, readPosition }));
    expect(leader.reads).toContainEqual({ requestId: 1, index: 1 });
  });

  test("neither half of a joint configuration counts it", () => {
    const configuration = { ...votersOnly([1, 2, 3]), outgoing: [1, 2, 4] };
    const leader = soloMember({ size: 0, configuration });
    becomeLeader(leader);
    exchange(leader, accept(2, { term: 1, index: 1, repairId: 7 }), accept(3, { term: 1, index: 1 }));
    expect(leader.core.commit).toBe(0);
    exchange(leader, accept(4, { term: 1, index: 1 }));
    expect(leader.core.commit).toBe(1);
  });

  test("it counts as heard, so that its leader may go on repairing it", () => {
    const leader = leaderOf(2);
    for (let round = 0; round < 5; round++) {
      for (let tick = 0; tick < ELECTION_TICKS; tick++) leader.core.tick();
      exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 7 }));
    }
    expect(leader.core.role).toBe("leader");
  });
});

describe("answers that were under way for long", () => {
  test("from before the loss still commit what they acknowledge", () => {
    const leader = leaderOf(2);
    leader.core.propose([payload("x")]);
    drain(leader);
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 7 }), accept(2, { term: 1, index: 3 }));
    expect(leader.core.commit).toBe(3);
  });

  test("from before the loss do not keep the member from being repaired", () => {
    const leader = leaderOf(5);
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 7 }), accept(2, { term: 1, index: 5 }));
    expect(peerStatus(leader, 2)).toMatchObject({ match: 5, isUnderRepair: false });
    const sent = exchange(leader, refuse(2, { term: 1, index: 5, hintIndex: 2, hintTerm: 1, repairId: 7 }));
    expect(ofType(sent, "appendEntries")).toMatchObject([{ to: 2, prevIndex: 2 }]);
    expect(peerStatus(leader, 2)).toMatchObject({ match: 0, isUnderRepair: true });
  });

  test("from before the end of the repair take nothing from the member for good", () => {
    const leader = leaderOf(5);
    exchange(leader, accept(2, { term: 1, index: 5 }), heartbeatAnswer(2, { term: 1, repairId: 7 }));
    const [probe] = ofType(sentTo(exchange(leader, heartbeatAnswer(2, { term: 1 })), 2), "appendEntries");
    expect(probe).toMatchObject({ prevIndex: 5 });
    exchange(leader, accept(2, { term: 1, index: 5 }));
    expect(peerStatus(leader, 2)).toMatchObject({ match: 5, state: "replicate", isUnderRepair: false });
  });
});

test("another number means that more may be lost", () => {
  const leader = leaderOf(5);
  exchange(leader, accept(2, { term: 1, index: 5, repairId: 7 }));
  leader.core.propose([payload("x")]);
  exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 8 }));
  expect(peerStatus(leader, 2).match).toBe(0);
  expect(toldToTwo(leader)).toEqual({ id: 8, index: 6 });
});

test("an answer without a mark ends it, and what was acknowledged counts", () => {
  const leader = leaderOf(2);
  leader.core.propose([payload("x")]);
  exchange(leader, accept(2, { term: 1, index: 3, repairId: 7 }));
  leader.core.readIndex(1);
  drain(leader);
  exchange(leader, heartbeatAnswer(2, { term: 1, readPosition: 1, repairId: 7 }), heartbeatAnswer(2, { term: 1, readPosition: 1 }));
  expect(peerStatus(leader, 2)).toMatchObject({ match: 3, isUnderRepair: false });
  expect([leader.core.commit, leader.reads]).toEqual([3, [{ requestId: 1, index: 2 }]]);
  expect(toldToTwo(leader)).toBeUndefined();
});

test("a leader tells when a peer's repair begins and ends", () => {
  const events = new RecordedEvents();
  const leader = leaderOf(5, { options: { onEvent: events.sink } });
  exchange(leader, accept(2, { term: 1, index: 4, repairId: 7 }), accept(2, { term: 1, index: 5, repairId: 7 }));
  exchange(leader, accept(2, { term: 1, index: 5 }));
  expect(events.ofType("peerRepairStarted")).toMatchObject([{ id: 7, target: 5, peer: { id: 2, match: 0 } }]);
  expect(events.ofType("peerRepairEnded")).toMatchObject([{ id: 7, peer: { id: 2, match: 5 } }]);
});
