import { describe, expect, test } from "vitest";
import type { PeerMessage } from "./messages.ts";
import { leadersOf, passTime } from "./testing/cluster-time.ts";
import { addVoter, changeOf } from "./testing/member-changes.ts";
import { RecordedEvents } from "./testing/recorded-events.ts";
import { soloLeader } from "./testing/solo-leader.ts";
import { append, drain, exchange, heartbeat, preVoteRequest, soloMember, termsOf, voteRequest } from "./testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";
import type { QuarantineEvidence } from "./types.ts";

/** A member that can't stand by what it acknowledged only watches. */

const BAD_CHECKSUM: QuarantineEvidence = { kind: "storage", description: "a checksum is wrong" };

function quarantined(): TestMember {
  const member = soloMember({ size: 3, terms: [1, 1], commit: 1 });
  drain(member);
  member.core.quarantine(BAD_CHECKSUM);
  return member;
}

const installSnapshot: PeerMessage = {
  type: "installSnapshot",
  from: 2,
  to: 1,
  term: 5,
  snapshot: { index: 9, term: 5, configuration: soloMember({ size: 3 }).core.configuration },
};

describe("a quarantined member", () => {
  test.each<readonly [string, PeerMessage]>([
    ["a request for its vote", voteRequest(2, { term: 5, lastIndex: 9, lastTerm: 4 })],
    ["a request for its vote in advance", preVoteRequest(2, { term: 5, lastIndex: 9, lastTerm: 4 })],
    ["entries", append(2, { term: 5, prevIndex: 2, prevTerm: 1, terms: [5], commit: 3 })],
    ["a heartbeat", heartbeat(2, { term: 5, commit: 2 })],
    ["a snapshot", installSnapshot],
    ["a call to campaign", { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false }],
    ["a request for a hand-over", { type: "transferLeadership", from: 2, to: 1, term: 1, target: 3 }],
    ["a proposal", { type: "forwardPropose", kind: "command", from: 2, to: 1, payloads: [payload("x")] }],
    ["a question for a read index", { type: "readIndexRequest", from: 2, to: 1, requestId: 1 }],
  ])("answers nothing to %s, and keeps what it has as it is", (_, message) => {
    const member = quarantined();
    expect(exchange(member, message)).toEqual([]);
    expect(member.core.status()).toMatchObject({
      role: "follower",
      vote: 0,
      commit: 1,
      applied: 1,
      lastIndex: 2,
      quarantine: BAD_CHECKSUM,
    });
    expect(termsOf(member.disk.entries)).toEqual([1, 1]);
    expect(member.diskHardState).toEqual({ term: 1, vote: 0, commit: 1 });
  });

  test("knows who leads, and in which term", () => {
    const member = quarantined();
    exchange(member, heartbeat(2, { term: 5 }));
    expect(member.core.status()).toMatchObject({ term: 5, leader: 2 });
    exchange(member, append(2, { term: 5, prevIndex: 9, prevTerm: 5 }), heartbeat(3, { term: 4 }));
    expect(member.core.status()).toMatchObject({ term: 5, leader: 2 });
    expect(member.collect()).toBeUndefined();
  });

  test("never campaigns, whatever time passes and whoever asks it to", () => {
    const events = new RecordedEvents();
    const member = soloMember({ size: 3, terms: [1, 1], options: { onEvent: events.sink } });
    member.core.quarantine(BAD_CHECKSUM);
    events.clear();
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
    expect(events.all).toEqual([]);
    expect([member.core.campaign(), member.core.role, member.core.term]).toEqual(["quarantined", "follower", 1]);
  });

  test("says so to its own callers", () => {
    const member = quarantined();
    const dropped = { outcome: "dropped", reason: "quarantined" };
    expect(member.core.propose([payload("x")])).toEqual(dropped);
    expect(member.core.proposeChange(changeOf(addVoter(4)))).toEqual(dropped);
    expect(member.core.transferLeadership(2)).toEqual({ outcome: "refused", reason: "quarantined" });
    member.core.readIndex(3);
    drain(member);
    expect(member.reads).toEqual([{ requestId: 3, failed: "quarantined" }]);
  });

  test("keeps its first evidence", () => {
    const events = new RecordedEvents();
    const member = soloMember({ size: 3, options: { onEvent: events.sink } });
    member.core.quarantine(BAD_CHECKSUM);
    member.core.quarantine({ kind: "storage", description: "and a gap" });
    expect(member.core.quarantineEvidence).toBe(BAD_CHECKSUM);
    expect(events.ofType("quarantined")).toEqual([{ type: "quarantined", evidence: BAD_CHECKSUM }]);
  });

  test("is one again after a restart if its driver says so", () => {
    const member = quarantined();
    member.crash(0, true);
    expect(member.core.quarantineEvidence).toEqual(BAD_CHECKSUM);
    expect(exchange(member, voteRequest(2, { term: 5, lastIndex: 9, lastTerm: 4 }))).toEqual([]);
  });
});

describe("what was under way", () => {
  test("is not said any more: neither votes nor acknowledgements that waited, nor the own vote", () => {
    const member = soloMember({ size: 1, options: { preVote: false } });
    member.core.campaign();
    member.collect();
    member.core.quarantine(BAD_CHECKSUM);
    drain(member);
    expect(member.core.role).toBe("follower");
    const voter = soloMember({ size: 3, term: 1 });
    voter.core.step(voteRequest(2, { term: 2, lastIndex: 0, lastTerm: 0 }));
    voter.core.quarantine(BAD_CHECKSUM);
    expect(drain(voter)).toEqual([]);
  });

  test("is finished by the driver without effect: writes and applies that were handed out", () => {
    const member = soloMember({ size: 3, term: 1, options: { applyBytesMax: 1 } });
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1], commit: 0 }));
    member.core.step(heartbeat(2, { term: 1, commit: 2 }));
    member.core.step(append(2, { term: 1, prevIndex: 2, prevTerm: 1, terms: [1] }));
    member.collect();
    member.core.quarantine(BAD_CHECKSUM);
    member.write();
    member.apply();
    expect(member.collect()).toBeUndefined();
    expect(member.core.status()).toMatchObject({ applied: 1, durableIndex: 3 });
  });

  test("ends at a leader with its office, and its reads and hand-over fail", () => {
    const events = new RecordedEvents();
    const member = soloLeader({ size: 3, options: { onEvent: events.sink } });
    member.core.propose([payload("x")]);
    member.core.transferLeadership(2);
    member.core.readIndex(1);
    member.core.quarantine(BAD_CHECKSUM);
    expect(drain(member)).toEqual([]);
    expect(member.core.status()).toMatchObject({ role: "follower", leader: 0, term: 1 });
    expect(member.reads).toEqual([{ requestId: 1, failed: "leadership_lost" }]);
    expect(events.ofType("transferEnded")).toMatchObject([{ target: 2, result: "leadership_lost" }]);
  });

  test("fails for reads that a follower passed on", () => {
    const member = soloMember({ size: 3 });
    exchange(member, heartbeat(2, { term: 1 }));
    member.core.readIndex(1);
    member.core.quarantine(BAD_CHECKSUM);
    drain(member);
    expect(member.reads).toEqual([{ requestId: 1, failed: "quarantined" }]);
  });
});

test("the others go on without it, and it can't help to elect a log that lacks what it lost", () => {
  const cluster = new TestCluster({ size: 3 });
  cluster.elect(1);
  cluster.isolate(3);
  cluster.propose(1, "acknowledged by 1 and 2");
  cluster.heal();
  cluster.member(2).core.quarantine(BAD_CHECKSUM);
  cluster.isolate(1);
  passTime(cluster, 10 * ELECTION_TICKS, [2, 3]);
  expect(leadersOf(cluster).filter((id) => id !== 1)).toEqual([]);
  cluster.heal();
  passTime(cluster, 5 * ELECTION_TICKS);
  const [leader = 0] = leadersOf(cluster);
  cluster.propose(leader, "and on");
  expect(cluster.member(3).core.commit).toBe(cluster.member(1).core.commit);
  expect(cluster.member(2).core.leader).toBe(leader);
});
