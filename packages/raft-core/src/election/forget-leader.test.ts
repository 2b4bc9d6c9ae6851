import { expect, test } from "vitest";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { soloLeader } from "../testing/solo-leader.ts";
import { drain, exchange, heartbeat, preVoteRequest, soloMember, voteRequest } from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";

/** An operator who knows that the leader is dead need not wait for the election time-out. */

const longerLog = { term: 2, lastIndex: 99, lastTerm: 1 };

test("a follower that forgets its leader votes at once, and keeps term, vote and timer", () => {
  const member = soloMember({ size: 3, term: 1, vote: 2 });
  exchange(member, heartbeat(2, { term: 1 }));
  member.core.overrideElectionTimeout(ELECTION_TICKS + 1);
  for (let tick = 0; tick < ELECTION_TICKS - 1; tick++) member.core.tick();
  member.core.forgetLeader();
  expect(member.collect()?.softState).toEqual({ role: "follower", leader: 0 });
  expect(member.core.status()).toMatchObject({ term: 1, vote: 2, leader: 0 });
  expect(exchange(member, preVoteRequest(3, longerLog))).toMatchObject([{ granted: true }]);
  member.core.tick();
  expect(member.core.role).toBe("follower");
  member.core.tick();
  expect(member.core.role).toBe("preCandidate");
});

test("a leader that lives is believed again at its next word", () => {
  const member = soloMember({ size: 3, term: 1 });
  exchange(member, heartbeat(2, { term: 1 }));
  member.core.forgetLeader();
  exchange(member, heartbeat(2, { term: 1 }));
  expect(exchange(member, voteRequest(3, longerLog))).toEqual([]);
  expect(member.core.leader).toBe(2);
});

test("reads on their way to the forgotten leader fail, proposals find nobody", () => {
  const member = soloMember({ size: 3, term: 1 });
  exchange(member, heartbeat(2, { term: 1 }));
  member.core.readIndex(1);
  drain(member);
  member.core.forgetLeader();
  drain(member);
  expect(member.reads).toEqual([{ requestId: 1, failed: "leadership_lost" }]);
  expect(member.core.propose([new Uint8Array(1)])).toEqual({ outcome: "dropped", reason: "no_leader" });
});

test("a majority that forgot its leader elects another at once", () => {
  const cluster = new TestCluster({ size: 3 });
  cluster.elect(1);
  cluster.isolate(1);
  cluster.member(2).core.campaign();
  cluster.settle();
  expect(cluster.member(2).core.role).toBe("preCandidate");
  cluster.member(3).core.forgetLeader();
  cluster.member(2).core.campaign();
  cluster.settle();
  expect(cluster.member(2).core.role).toBe("leader");
});

test("with lease reads it is refused: the leader relies on being remembered", () => {
  const events = new RecordedEvents();
  const options = { leaseReads: { driftPpm: 0, tickMs: 100 }, onEvent: events.sink };
  const member = soloMember({ size: 3, term: 1, options });
  exchange(member, heartbeat(2, { term: 1 }));
  member.core.forgetLeader();
  expect([member.core.leader, events.ofType("forgetLeaderRefused").length]).toEqual([2, 1]);
});

test("who leads, campaigns, or knows no leader has nothing to forget", () => {
  const events = new RecordedEvents();
  const leader = soloLeader({ size: 3, options: { onEvent: events.sink } });
  const candidate = soloMember({ size: 3, term: 1, options: { onEvent: events.sink } });
  candidate.core.campaign();
  const fresh = soloMember({ size: 3, options: { onEvent: events.sink } });
  for (const member of [leader, candidate, fresh]) {
    drain(member);
    const before = member.core.status();
    member.core.forgetLeader();
    expect([member.core.status(), member.collect()]).toEqual([before, undefined]);
  }
  expect(events.ofType("leaderForgotten")).toEqual([]);
});
