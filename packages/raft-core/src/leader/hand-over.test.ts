import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import { TERM_MAX } from "../message-check.ts";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { soloLeader } from "../testing/solo-leader.ts";
import { accept, drain, exchange, heartbeat, ofType, soloMember, vote, voteRequest } from "../testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** A leader that is about to stop gives its successor its vote unasked. */

const STARTED = { outcome: "started" };
const TIMEOUT_NOW = { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: true } as const;

/** Member 1 leads term 1, and member 2 lacks its last entry. */
function leaderAheadOf2(): { readonly member: TestMember; readonly events: RecordedEvents } {
  const events = new RecordedEvents();
  const member = soloLeader({ size: 3, options: { onEvent: events.sink } });
  member.core.propose([payload("x")]);
  drain(member);
  exchange(member, accept(3, { term: 1, index: 2 }));
  events.clear();
  return { member, events };
}

/** Member 1 follows member 2 in term 1. */
function followerOf2(events = new RecordedEvents()): TestMember {
  const member = soloMember({ size: 3, terms: [1], options: { onEvent: events.sink } });
  exchange(member, heartbeat(2, { term: 1 }));
  return member;
}

describe("a leader that resigns", () => {
  test("tells its successor at once, and votes for it as soon as that is durable", () => {
    const member = soloLeader({ size: 3 });
    expect(member.core.resignTo(2)).toEqual(STARTED);
    const ready = member.collect();
    expect(ready?.messages).toEqual([{ type: "timeoutNow", from: 1, to: 2, term: 1, isResigning: true }]);
    expect(ready?.append).toMatchObject({ hardState: { term: 2, vote: 2 }, mustSync: true });
    expect(ofType(member.write(), "requestVoteResponse")).toEqual([
      { type: "requestVoteResponse", from: 1, to: 2, term: 2, granted: true },
    ]);
  });

  test("leads no longer, and votes for nobody else in that term", () => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { onEvent: events.sink } });
    member.core.resignTo(2);
    expect(member.core.status()).toMatchObject({ role: "follower", term: 2, vote: 2, leader: 0 });
    drain(member);
    const log = { term: 2, lastIndex: 9, lastTerm: 1, isTransfer: true };
    expect(exchange(member, voteRequest(3, log))).toMatchObject([{ to: 3, granted: false }]);
    expect(exchange(member, voteRequest(2, log))).toMatchObject([{ to: 2, granted: true }]);
    expect(events.ofType("leaderResigned")).toEqual([{ type: "leaderResigned", successor: 2, term: 2 }]);
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "done" }]);
  });

  test("remembers its vote after a crash if it may have been heard, and else may lead again", () => {
    const [said, unsaid] = [soloLeader({ size: 3 }), soloLeader({ size: 3 })];
    for (const member of [said, unsaid]) {
      member.core.resignTo(2);
      member.collect();
    }
    said.write();
    for (const member of [said, unsaid]) member.crash(0, false);
    expect(said.core.status()).toMatchObject({ term: 2, vote: 2 });
    expect(unsaid.core.status()).toMatchObject({ term: 1, vote: 1 });
  });

  test("stays until its successor has everything", () => {
    const { member } = leaderAheadOf2();
    member.core.resignTo(2);
    const early = [...drain(member), ...exchange(member, accept(2, { term: 1, index: 1 }))];
    expect([member.core.role, ofType(early, "timeoutNow"), ofType(early, "requestVoteResponse")]).toEqual(["leader", [], []]);
    const sent = exchange(member, accept(2, { term: 1, index: 2 }));
    expect([member.core.role, member.core.term]).toEqual(["follower", 2]);
    expect([ofType(sent, "timeoutNow").length, ofType(sent, "requestVoteResponse").length]).toEqual([1, 1]);
  });

  test("goes on if its successor does not get everything within an election time-out", () => {
    const { member, events } = leaderAheadOf2();
    member.core.resignTo(2);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    exchange(member, accept(2, { term: 1, index: 2 }));
    expect(member.core.status()).toMatchObject({ role: "leader", term: 1, transferTarget: 0 });
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "timeout" }]);
  });

  test("keeps its vote if it is asked to hand over to another member instead", () => {
    const { member } = leaderAheadOf2();
    member.core.resignTo(2);
    member.core.transferLeadership(3);
    const sent = drain(member);
    expect([member.core.role, ofType(sent, "timeoutNow").length, ofType(sent, "requestVoteResponse")]).toEqual(["leader", 1, []]);
  });

  test("keeps its vote from a member whose store was lost, which may lack what it acknowledged", () => {
    const member = soloLeader({ size: 3 });
    member.core.peerLostStore(2);
    member.core.resignTo(2);
    const sent = drain(member);
    expect([member.core.role, ofType(sent, "requestVoteResponse")]).toEqual(["leader", []]);
  });

  test("keeps its vote in the last term there is", () => {
    const member = soloLeader({ size: 3, term: TERM_MAX - 1 });
    member.core.resignTo(2);
    expect(member.core.status()).toMatchObject({ role: "leader", term: TERM_MAX });
  });

  test("does not exist elsewhere: who leads nobody has nothing to resign from", () => {
    expect(followerOf2().core.resignTo(3)).toEqual({ outcome: "refused", reason: "not_leader" });
  });

  test("is one that is about to stop: a mere transfer costs it neither term nor vote", () => {
    const member = soloLeader({ size: 3 });
    member.core.transferLeadership(2);
    expect(ofType(drain(member), "requestVoteResponse")).toEqual([]);
    expect(member.core.status()).toMatchObject({ role: "leader", term: 1, vote: 1 });
  });
});

describe("its successor", () => {
  test("leads with that vote and its own, once its own is durable, and asks nobody", () => {
    const member = followerOf2();
    member.core.step(TIMEOUT_NOW);
    expect(member.collect()?.messages).toEqual([]);
    member.core.step(vote(2, { term: 2 }));
    expect(member.core.role).toBe("candidate");
    member.write();
    expect(member.core.status()).toMatchObject({ role: "leader", term: 2 });
  });

  test("asks the others at the second tick if that vote is late, since the first may come at once", () => {
    const member = followerOf2();
    expect(exchange(member, TIMEOUT_NOW)).toEqual([]);
    member.core.tick();
    expect(drain(member)).toEqual([]);
    member.core.tick();
    expect(ofType(drain(member), "requestVote")).toMatchObject([
      { to: 2, term: 2, isTransfer: true },
      { to: 3, term: 2, isTransfer: true },
    ]);
    member.core.tick();
    expect(drain(member)).toEqual([]);
    exchange(member, vote(3, { term: 2 }));
    expect(member.core.role).toBe("leader");
  });

  test("stands for election also if it doubts its leader already", () => {
    const member = followerOf2();
    member.core.leaderSilent();
    drain(member);
    expect(member.core.role).toBe("preCandidate");
    exchange(member, TIMEOUT_NOW, vote(2, { term: 2 }));
    expect(member.core.status()).toMatchObject({ role: "leader", term: 2 });
  });

  test("asks the others at once where that vote and its own are no majority", () => {
    const member = soloMember({ size: 4, terms: [1] });
    const sent = exchange(member, heartbeat(2, { term: 1 }), TIMEOUT_NOW);
    expect(ofType(sent, "requestVote").map(({ to }) => to)).toEqual([2, 3, 4]);
    exchange(member, vote(2, { term: 2 }));
    expect(member.core.role).toBe("candidate");
    exchange(member, vote(3, { term: 2 }));
    expect(member.core.role).toBe("leader");
  });

  test("stands for election by the vote alone if the word to campaign was lost, or comes later", () => {
    const events = new RecordedEvents();
    const member = followerOf2(events);
    const sent = exchange(member, vote(2, { term: 2 }));
    expect(member.core.status()).toMatchObject({ role: "leader", term: 2 });
    expect(ofType(sent, "requestVote")).toEqual([]);
    expect(events.ofType("resignationReceived")).toEqual([{ type: "resignationReceived", from: 2, term: 1 }]);
    expect(exchange(member, TIMEOUT_NOW)).toEqual([]);
    expect(member.core.status()).toMatchObject({ role: "leader", term: 2 });
  });

  test.each([
    ["comes from another member", vote(3, { term: 2 })],
    ["is for a later term", vote(2, { term: 3 })],
    ["is refused", vote(2, { term: 2, granted: false })],
  ])("does not stand for election by a vote that %s", (_, message) => {
    const member = followerOf2();
    expect(exchange(member, message)).toEqual([]);
    expect(member.core.status()).toMatchObject({ role: "follower", term: message.term, vote: 0 });
  });

  test("moves on to the next term if it can't stand for election, so that others can be elected", () => {
    const events = new RecordedEvents();
    const configuration = { ...votersOnly([2, 3]), learners: [1] };
    const member = soloMember({ size: 0, configuration, term: 1, options: { onEvent: events.sink } });
    exchange(member, heartbeat(2, { term: 1 }), vote(2, { term: 2 }));
    expect(member.core.status()).toMatchObject({ role: "follower", term: 2, vote: 0 });
    expect(events.ofType("campaignRefused")).toMatchObject([{ reason: "unpromotable" }]);
  });
});

describe("in a cluster", () => {
  test("the successor of three leads without having asked anybody", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.passes = ({ type }) => type !== "requestVote";
    cluster.member(1).core.resignTo(2);
    cluster.settle();
    expect(leadersOf(cluster)).toEqual([2]);
    for (const { core } of cluster.members) expect(core.status()).toMatchObject({ term: 2, leader: 2 });
  });

  test("entries that were not committed yet are committed by the successor", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    const [leader, successor] = [cluster.member(1), cluster.member(2)];
    cluster.isolate(3);
    leader.core.propose([payload("x")]);
    leader.core.resignTo(2);
    cluster.settle();
    expect(leadersOf(cluster)).toEqual([2]);
    expect([leader.core.commit, leader.state]).toEqual([successor.core.commit, successor.state]);
    expect(successor.applied.map(({ kind }) => kind)).toEqual(["empty", "command", "empty"]);
  });

  test.each([3, 5])("of %i members another one is elected if the successor never hears of it", (size) => {
    const cluster = new TestCluster({ size });
    cluster.elect(1);
    cluster.passes = (message) => message.from !== 1 || message.to !== 2;
    cluster.member(1).core.resignTo(2);
    cluster.settle();
    expect(leadersOf(cluster)).toEqual([]);
    passTime(cluster, 6 * ELECTION_TICKS);
    expect(leadersOf(cluster)).toHaveLength(1);
    expect(cluster.member(1).core.term).toBeGreaterThan(1);
  });

  test("one that has resigned and stopped is missed by nobody", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).core.resignTo(2);
    cluster.work(cluster.member(1));
    cluster.isolate(1);
    for (const id of [2, 3]) cluster.member(id).core.peerDown(1);
    passTime(cluster, ELECTION_TICKS, [2, 3]);
    expect(leadersOf(cluster)).toHaveLength(1);
    expect(leadersOf(cluster)).not.toEqual([1]);
  });
});
