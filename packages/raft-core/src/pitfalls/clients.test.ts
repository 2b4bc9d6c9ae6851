import { describe, expect, test } from "vitest";
import { addLearner, addVoter, changeOf, remove } from "../testing/member-changes.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { acceptances, soloLeader } from "../testing/solo-leader.ts";
import { accept, becomeLeader, drain, exchange, heartbeat, heartbeatAnswer, ofType, soloMember } from "../testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "../testing/test-cluster.ts";

/** What other implementations got wrong about hand-overs, reads and retries, as reported in their issue trackers and in papers. */

const X = [payload("x")];

describe("P39: a hand-over of leadership never blocks writes for good, and never makes the wrong leader", () => {
  test.each<readonly [string, number, string]>([
    ["to a member that is not one", 9, "not_a_voter"],
    ["to a learner", 4, "not_a_voter"],
    ["to itself", 1, "to_self"],
  ])("P39: %s is refused", (_, target, reason) => {
    const configuration = { voters: [1, 2, 3], outgoing: [], learners: [4], learnersNext: [], autoLeave: false };
    const member = soloLeader({ size: 3, configuration });
    expect(member.core.transferLeadership(target)).toEqual({ outcome: "refused", reason });
    expect(member.core.propose(X).outcome).toBe("accepted");
  });

  test.each<readonly [string, (leader: ReturnType<typeof soloLeader>) => void, string]>([
    ["that does not answer times out", ({ core }) => Array.from({ length: ELECTION_TICKS }, () => core.tick()), "timeout"],
    ["that is asked for a second time is replaced", ({ core }) => core.transferLeadership(3), "superseded"],
    ["that a later leader ends is over", (leader) => exchange(leader, heartbeat(3, { term: 2 })), "leadership_lost"],
    ["that succeeds is done", (leader) => exchange(leader, heartbeat(2, { term: 2 })), "done"],
  ])("P39: one %s", (_, happen, result) => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { onEvent: events.sink, checkQuorum: false } });
    expect(member.core.transferLeadership(2)).toEqual({ outcome: "started" });
    expect(member.core.propose(X)).toEqual({ outcome: "dropped", reason: "transfer_in_progress" });
    happen(member);
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result }]);
  });

  test.each([changeOf(remove(2)), changeOf(addLearner(2))])("P39: to a member that is removed or demoted meanwhile ends: %#", (change) => {
    const member = soloLeader({ size: 3 });
    member.core.proposeChange(change);
    drain(member);
    member.core.transferLeadership(2);
    exchange(member, accept(3, { term: 1, index: 2 }));
    expect(member.core.status()).toMatchObject({ role: "leader", transferTarget: 0 });
    expect(member.core.propose(X).outcome).toBe("accepted");
  });
});

test("P40: a read at a new leader waits for the first commit of its own term", () => {
  const member = soloMember({ size: 3, terms: [1, 1], commit: 1 });
  becomeLeader(member);
  member.core.readIndex(7);
  drain(member);
  exchange(member, heartbeatAnswer(2, { term: 2 }), heartbeatAnswer(3, { term: 2 }));
  expect(member.reads).toEqual([]);
  exchange(member, accept(2, { term: 2, index: 3 }));
  exchange(member, heartbeatAnswer(2, { term: 2, readPosition: 1 }));
  expect(member.reads).toEqual([{ requestId: 7, index: 3 }]);
});

describe("P41: an old answer confirms no new read", () => {
  test("P41: although both reads have the same id", () => {
    const member = soloLeader({ size: 3 });
    for (let round = 0; round < 2; round++) {
      member.core.readIndex(1);
      drain(member);
    }
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }), heartbeatAnswer(3, { term: 1, readPosition: 1 }));
    expect(member.reads).toHaveLength(1);
  });

  test("P41: nor one of an earlier term, when the same member leads again", () => {
    const member = soloLeader({ size: 3 });
    member.core.readIndex(1);
    drain(member);
    exchange(member, heartbeat(2, { term: 2 }));
    becomeLeader(member);
    exchange(member, ...acceptances(member));
    member.core.readIndex(1);
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }), heartbeatAnswer(3, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([{ requestId: 1, failed: "leadership_lost" }]);
  });
});

test("P42: reads that wait when leadership is lost fail with the reason, at the leader and at who asked it", () => {
  const cluster = new TestCluster({ size: 3 });
  cluster.elect(1);
  cluster.passes = ({ type }) => type !== "heartbeatResponse";
  cluster.member(1).core.readIndex(1);
  cluster.member(3).core.readIndex(1);
  cluster.settle();
  expect(cluster.members.map((member) => member.reads)).toEqual([[], [], []]);
  cluster.heal();
  cluster.elect(2);
  const failed = [{ requestId: 1, failed: "leadership_lost" }];
  expect([cluster.member(1).reads, cluster.member(3).reads]).toEqual([failed, failed]);
});

describe("P43: a lease outlasts no election of another leader", () => {
  const leaseReads = { driftPpm: 100_000, tickMs: 100 };

  test("P43: it counts from when its round was sent, with the drift of clocks taken off", () => {
    const member = soloLeader({ size: 3, options: { leaseReads } });
    member.core.observeTime(1000);
    member.core.tick();
    drain(member);
    member.core.observeTime(1500);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    const lastValidMs = 1000 + (ELECTION_TICKS - 1) * 100 * 0.9 - 1;
    member.core.observeTime(lastValidMs);
    member.core.readIndex(1);
    member.core.observeTime(lastValidMs + 1);
    member.core.readIndex(2);
    drain(member);
    expect(member.reads).toEqual([{ requestId: 1, index: 1 }]);
  });

  test("P43: a process that was paused for longer asks the others before it answers", () => {
    const member = soloLeader({ size: 3, options: { leaseReads } });
    member.core.observeTime(1000);
    member.core.tick();
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    member.core.observeTime(60_000);
    member.core.readIndex(1);
    expect(ofType(drain(member), "heartbeat")).toHaveLength(2);
    expect(member.reads).toEqual([]);
  });
});

/**
 * Exactly once is for the state machine to see to, by what a client says of itself in its commands. The core's part: it proposes nothing a
 * second time, and applies each entry once. In packages/raft-node: "ignore entries of other members and of an earlier life".
 */
describe("P44: nothing is repeated behind the caller's back", () => {
  test("P44: a proposal that was forwarded and lost stays lost", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.passes = ({ type }) => type !== "forwardPropose";
    cluster.propose(2, "x");
    cluster.heal();
    cluster.tick(1, 3);
    cluster.settle();
    expect(cluster.member(1).core.lastIndex).toBe(1);
  });

  test("P44: an entry is handed out for applying once, and after a restart again from the snapshot on", () => {
    const member = soloLeader({ size: 1 });
    member.core.propose(X);
    drain(member);
    member.takeSnapshot(0);
    member.core.propose(X);
    member.core.proposeChange(changeOf(addVoter(2)));
    drain(member);
    expect(member.applied.map((entry) => entry.index)).toEqual([1, 2, 3, 4]);
    member.crash(0, true);
    drain(member);
    expect(member.applied.map((entry) => entry.index)).toEqual([1, 2, 3, 4, 3, 4]);
  });
});
