import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { addLearner, addVoter, changeOf, explicitChangeOf, remove } from "../testing/member-changes.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { acceptances, peerStatus, soloLeader } from "../testing/solo-leader.ts";
import { accept, append, drain, exchange, heartbeat, heartbeatAnswer, ofType, soloMember, voteRequest } from "../testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** A leader hands its office over (dissertation 3.10). */

const X = [payload("x")];
const STARTED = { outcome: "started" };

function timeoutsNow(member: TestMember): readonly number[] {
  return ofType(drain(member), "timeoutNow").map((message) => message.to);
}

/** A leader whose follower 2 lacks the last two entries, with the events of what comes. */
function leaderAheadOf2(): { readonly member: TestMember; readonly events: RecordedEvents } {
  const events = new RecordedEvents();
  const member = soloLeader({ size: 3, options: { onEvent: events.sink, checkQuorum: false } });
  member.core.propose([payload("x"), payload("y")]);
  drain(member);
  exchange(member, accept(3, { term: 1, index: 3 }));
  events.clear();
  return { member, events };
}

describe("in a cluster", () => {
  test.each([1, 2, 3])("leadership goes to an up-to-date member and back after more entries, asked at member %i", (asked) => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    for (const [target, term] of [
      [2, 2],
      [1, 3],
    ] as const) {
      passTime(cluster, 1);
      const outcome = cluster.member(asked).core.transferLeadership(target);
      expect(outcome).toMatchObject(outcome.outcome === "started" ? STARTED : { outcome: "forwarded", to: 3 - target });
      cluster.settle();
      expect(leadersOf(cluster)).toEqual([target]);
      for (const member of cluster.members) expect(member.core.status()).toMatchObject({ term, leader: target });
      cluster.propose(target, "x");
    }
  });

  test("it goes over although everybody has just heard the leader, without pre-votes", () => {
    const cluster = new TestCluster({ size: 5, options: { preVote: true, checkQuorum: true } });
    cluster.elect(1);
    passTime(cluster, 2);
    cluster.sent.length = 0;
    cluster.member(1).core.transferLeadership(4);
    cluster.settle();
    expect(leadersOf(cluster)).toEqual([4]);
    expect(cluster.sent.filter((message) => message.type === "requestPreVote")).toEqual([]);
    const requests = cluster.sent.filter((message) => message.type === "requestVote");
    expect(requests.map((message) => message.isTransfer)).toEqual([true, true, true, true]);
  });

  test("a target that needs a snapshot takes over only when that is durable", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, "a", "b", "c");
    cluster.member(1).takeSnapshot(0);
    cluster.propose(1, "d");
    cluster.heal();
    cluster.member(1).core.transferLeadership(3);
    cluster.work(cluster.member(1));
    cluster.deliverAll();
    expect(cluster.member(1).core.status()).toMatchObject({ role: "leader", transferTarget: 3 });
    passTime(cluster, 1);
    expect(leadersOf(cluster)).toEqual([3]);
    expect(cluster.member(3).state).toBe(cluster.member(1).state);
  });

  test("a leader that dies right after it asked the target leaves a leader behind", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).core.transferLeadership(2);
    cluster.work(cluster.member(1));
    cluster.deliverAll();
    cluster.isolate(1);
    cluster.settle();
    expect(cluster.member(2).core.status()).toMatchObject({ role: "leader", term: 2 });
  });

  test("a new member takes over inside the joint configuration that brings it", () => {
    const cluster = new TestCluster({ size: 4, configuration: votersOnly([1, 2, 3]) });
    cluster.elect(1);
    cluster.member(1).core.proposeChange(explicitChangeOf(addVoter(4), remove(1)));
    cluster.settle();
    cluster.member(1).core.transferLeadership(4);
    cluster.settle();
    expect(leadersOf(cluster)).toEqual([4]);
    expect(cluster.member(4).core.configuration).toMatchObject({ voters: [2, 3, 4], outgoing: [1, 2, 3] });
    cluster.propose(4, "x");
    expect(cluster.member(4).core.commit).toBe(cluster.member(4).core.lastIndex);
  });
});

describe("the leader", () => {
  test("tells an up-to-date target at once, and another one when it has everything", () => {
    const { member, events } = leaderAheadOf2();
    expect(member.core.transferLeadership(3)).toEqual(STARTED);
    expect(timeoutsNow(member)).toEqual([3]);
    expect(member.core.transferLeadership(2)).toEqual(STARTED);
    expect(timeoutsNow(member)).toEqual([]);
    exchange(member, heartbeatAnswer(2, { term: 1 }));
    expect(member.core.status().transferTarget).toBe(2);
    expect(ofType(exchange(member, accept(2, { term: 1, index: 2 })), "timeoutNow")).toEqual([]);
    expect(ofType(exchange(member, accept(2, { term: 1, index: 3 })), "timeoutNow").map((message) => message.to)).toEqual([2]);
    expect(events.ofType("timeoutNowSent")).toMatchObject([
      { target: 3, caughtUp: false },
      { target: 2, caughtUp: true },
    ]);
  });

  test("sends a slow target what it lacks first", () => {
    const { member } = leaderAheadOf2();
    member.core.reportUnreachable(2);
    exchange(member, heartbeatAnswer(2, { term: 1 }));
    member.core.transferLeadership(2);
    const sent = exchange(member, heartbeatAnswer(2, { term: 1 }));
    expect(ofType(sent, "appendEntries")).toMatchObject([{ to: 2, prevIndex: 1, entries: [{ index: 2 }, { index: 3 }] }]);
  });

  test("drops proposals meanwhile, also forwarded ones, and takes them again when it is over", () => {
    const { member, events } = leaderAheadOf2();
    member.core.transferLeadership(2);
    const dropped = { outcome: "dropped", reason: "transfer_in_progress" };
    expect([member.core.propose(X), member.core.proposeChange(changeOf(addVoter(4)))]).toEqual([dropped, dropped]);
    exchange(member, { type: "forwardPropose", kind: "command", from: 3, to: 1, payloads: X });
    expect(events.ofType("proposalDropped")).toMatchObject([
      { from: 1, transferTarget: 2 },
      { from: 1, transferTarget: 2 },
      { from: 3, transferTarget: 2 },
    ]);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.propose(X).outcome).toBe("accepted");
  });

  test("goes on by itself after an election time-out, counted from the start of the hand-over, and no sooner", () => {
    const { member, events } = leaderAheadOf2();
    for (let tick = 0; tick < ELECTION_TICKS / 2; tick++) member.core.tick();
    member.core.transferLeadership(2);
    for (let tick = 1; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.status().transferTarget).toBe(2);
    member.core.tick();
    expect(member.core.status()).toMatchObject({ role: "leader", transferTarget: 0 });
    expect(events.ofType("transferEnded")).toEqual([{ type: "transferEnded", target: 2, result: "timeout", term: 1 }]);
  });

  test("does not give the same target more time for being named again", () => {
    const { member } = leaderAheadOf2();
    member.core.transferLeadership(2);
    for (let tick = 1; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.transferLeadership(2)).toEqual({ outcome: "refused", reason: "in_progress" });
    member.core.tick();
    expect(member.core.status().transferTarget).toBe(0);
  });

  test("turns to a second target, and gives the first up", () => {
    const { member, events } = leaderAheadOf2();
    member.core.transferLeadership(2);
    expect(member.core.transferLeadership(3)).toEqual(STARTED);
    expect(timeoutsNow(member)).toEqual([3]);
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "superseded" }]);
    exchange(member, accept(2, { term: 1, index: 3 }));
    expect(timeoutsNow(member)).toEqual([]);
  });

  test("keeps the office when it is named itself, and gives the target up", () => {
    const { member, events } = leaderAheadOf2();
    expect(member.core.transferLeadership(1)).toEqual({ outcome: "refused", reason: "to_self" });
    member.core.transferLeadership(2);
    expect(member.core.transferLeadership(1)).toEqual({ outcome: "refused", reason: "to_self" });
    expect(member.core.status()).toMatchObject({ role: "leader", transferTarget: 0 });
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "superseded" }]);
  });

  test.each([
    ["an unknown member", 9],
    ["a learner", 4],
  ])("has nothing to hand to %s, and lets a hand-over go on", (_, target) => {
    const member = soloLeader({ size: 0, configuration: { ...votersOnly([1, 2, 3]), learners: [4] } });
    member.core.propose(X);
    drain(member);
    member.core.transferLeadership(2);
    expect(member.core.transferLeadership(target)).toEqual({ outcome: "refused", reason: "not_a_voter" });
    expect(member.core.status().transferTarget).toBe(2);
  });

  test.each([
    ["removed", changeOf(remove(2))],
    ["demoted", changeOf(addLearner(2))],
  ] as const)("gives up on a target that is %s", (_, change) => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { onEvent: events.sink } });
    member.core.proposeChange(change);
    drain(member);
    member.core.transferLeadership(2);
    exchange(member, accept(3, { term: 1, index: 2 }));
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "target_gone" }]);
    expect(member.core.propose(X).outcome).toBe("accepted");
  });

  test.each([
    ["the target campaigns", voteRequest(2, { term: 2, lastIndex: 2, lastTerm: 1, isTransfer: true }), "done"],
    ["the target leads", heartbeat(2, { term: 2 }), "done"],
    ["a third member campaigns", voteRequest(3, { term: 2, lastIndex: 2, lastTerm: 1, isTransfer: true }), "leadership_lost"],
    ["a third member leads", heartbeat(3, { term: 5 }), "leadership_lost"],
  ] as const)("learns how it ended when %s", (_, message, result) => {
    const { member, events } = leaderAheadOf2();
    member.core.transferLeadership(2);
    exchange(member, message);
    expect(member.core.role).toBe("follower");
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result, term: 1 }]);
  });

  test("loses the target with its quorum", () => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { onEvent: events.sink } });
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    member.core.transferLeadership(2);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.role).toBe("follower");
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "leadership_lost" }]);
  });

  test("leaves a joint configuration that it had to stay in during a hand-over", () => {
    const member = soloLeader({ size: 3 });
    member.core.proposeChange(changeOf(addVoter(4), remove(3)));
    member.core.propose(X);
    drain(member);
    member.core.transferLeadership(2);
    exchange(member, accept(2, { term: 1, index: 2 }), accept(4, { term: 1, index: 2 }));
    expect(member.core.configuration.autoLeave).toBe(true);
    expect(member.core.lastIndex).toBe(3);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) {
      member.core.tick();
      exchange(member, heartbeatAnswer(2, { term: 1 }), heartbeatAnswer(4, { term: 1 }));
    }
    drain(member);
    exchange(member, ...acceptances(member));
    expect(member.core.configuration).toEqual(votersOnly([1, 2, 4]));
  });
});

describe("the target", () => {
  test("campaigns at once, without pre-votes, in the name of the leader", () => {
    const member = soloMember({ size: 3, terms: [1] });
    const sent = exchange(member, heartbeat(2, { term: 1 }), { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false });
    expect(member.core.status()).toMatchObject({ role: "candidate", term: 2, vote: 1 });
    expect(ofType(sent, "requestVote")).toMatchObject([
      { to: 2, isTransfer: true },
      { to: 3, isTransfer: true },
    ]);
  });

  test.each([
    ["was removed", votersOnly([2, 3])],
    ["is a learner", { ...votersOnly([2, 3]), learners: [1] }],
  ] as const)("does nothing if it %s", (_, configuration) => {
    const events = new RecordedEvents();
    const member = soloMember({ size: 0, configuration, term: 1, options: { onEvent: events.sink } });
    expect(exchange(member, { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false })).toEqual([]);
    expect([member.core.role, member.core.term]).toEqual(["follower", 1]);
    expect(events.ofType("campaignRefused")).toMatchObject([{ reason: "unpromotable" }]);
  });

  test("does nothing while it campaigns already", () => {
    const events = new RecordedEvents();
    const member = soloMember({ size: 3, term: 1, options: { onEvent: events.sink } });
    member.core.campaign();
    drain(member);
    exchange(member, { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false });
    expect(events.ofType("timeoutNowIgnored")).toEqual([{ type: "timeoutNowIgnored", from: 2, role: "preCandidate", term: 1 }]);
    expect(member.core.role).toBe("preCandidate");
  });

  test("refuses while a change of members is not applied, and campaigns when it is told again", () => {
    const leader = soloLeader({ size: 3 });
    leader.core.proposeChange(changeOf(addVoter(4)));
    const change = leader.core.entryAt(2);
    if (change === undefined) throw new Error("The change is in the log");
    const member = soloMember({ size: 3, term: 1 });
    member.core.step({ ...append(2, { term: 1, prevIndex: 0, prevTerm: 0, commit: 1 }), entries: [{ ...change, index: 1 }] });
    const now = { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false } as const;
    member.core.step(now);
    expect(member.core.role).toBe("follower");
    drain(member);
    exchange(member, now);
    expect(member.core.role).toBe("candidate");
  });
});

describe("asked elsewhere", () => {
  test("a follower passes it on, and a candidate has nobody to pass it to", () => {
    const follower = soloMember({ size: 3, term: 1 });
    exchange(follower, heartbeat(2, { term: 1 }));
    expect(follower.core.transferLeadership(3)).toEqual({ outcome: "forwarded", to: 2 });
    expect(drain(follower)).toEqual([{ type: "transferLeadership", from: 1, to: 2, term: 1, target: 3 }]);
    follower.core.campaign();
    expect(follower.core.transferLeadership(3)).toEqual({ outcome: "refused", reason: "no_leader" });
  });

  test("a request that comes to a follower is passed on in its own name to the leader that it knows", () => {
    const follower = soloMember({ size: 3, term: 1 });
    const request = { type: "transferLeadership", from: 3, to: 1, term: 1, target: 3 } as const;
    expect(exchange(follower, request)).toEqual([]);
    exchange(follower, heartbeat(2, { term: 1 }));
    expect(exchange(follower, request)).toEqual([{ ...request, from: 1, to: 2 }]);
  });

  test("the leader serves a request of a follower, and no request of an earlier term", () => {
    const member = soloLeader({ size: 3, term: 1 });
    const request = { type: "transferLeadership", from: 2, to: 1, term: 1, target: 3 } as const;
    exchange(member, request);
    expect(member.core.status().transferTarget).toBe(0);
    exchange(member, { ...request, term: 2 });
    expect([member.core.status().transferTarget, peerStatus(member, 3).match]).toEqual([3, 1]);
  });
});
