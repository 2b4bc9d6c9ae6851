import { describe, expect, test } from "vitest";
import type { CoreOptions } from "../options.ts";
import { soloLeader } from "../testing/solo-leader.ts";
import { accept, becomeLeader, drain, exchange, heartbeatAnswer, ofType, soloMember } from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import { LeaderLease } from "./lease.ts";

/** Reads that a leader answers from memory while nobody else can have been elected (dissertation 6.4.1). */

const TICK_MS = 100;
const leaseReads = { driftPpm: 0, tickMs: TICK_MS };
/** The followers' first tick may come at once. */
const LEASE_MS = (ELECTION_TICKS - 1) * TICK_MS;

/** A leader of term 1 that sent heartbeats at 1000 ms and has an answer to them of everybody in `answering`. */
function leasedLeader(answering: readonly number[], options: Partial<CoreOptions> = {}): TestMember {
  const member = soloLeader({ size: 3, options: { leaseReads, ...options } });
  member.core.observeTime(1000);
  member.core.tick();
  const position = ofType(drain(member), "heartbeat")[0]?.readPosition ?? 0;
  exchange(member, ...answering.map((from) => heartbeatAnswer(from, { term: 1, readPosition: position })));
  return member;
}

/** Whether a read that is asked for at `nowMs` is answered without a word to the others. */
function isServedAlone(member: TestMember, nowMs: number): boolean {
  member.core.observeTime(nowMs);
  member.core.readIndex(7);
  const sent = drain(member);
  return member.reads.splice(0).length === 1 && sent.length === 0;
}

describe("a leader with a lease", () => {
  test("answers from memory until it ends, counted from when the heartbeats were sent", () => {
    expect(isServedAlone(leasedLeader([2]), 1000)).toBe(true);
    expect(isServedAlone(leasedLeader([2]), 1000 + LEASE_MS - 1)).toBe(true);
    expect(isServedAlone(leasedLeader([2]), 1000 + LEASE_MS)).toBe(false);
  });

  test("asks the others if no majority has answered", () => {
    expect(isServedAlone(leasedLeader([]), 1001)).toBe(false);
  });

  test("asks the others before anything of its term is committed", () => {
    const member = soloMember({ size: 3, term: 1, options: { leaseReads } });
    becomeLeader(member);
    member.core.observeTime(1000);
    member.core.tick();
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 2, readPosition: 1 }));
    expect(isServedAlone(member, 1001)).toBe(false);
    exchange(member, accept(2, { term: 2, index: 1 }));
    expect(isServedAlone(member, 1002)).toBe(true);
  });

  test("renews it by the round that a read needed", () => {
    const member = leasedLeader([]);
    member.core.observeTime(1200);
    member.core.readIndex(1);
    const position = ofType(drain(member), "heartbeat")[0]?.readPosition ?? 0;
    exchange(member, heartbeatAnswer(3, { term: 1, readPosition: position }));
    expect(member.reads.splice(0)).toEqual([{ requestId: 1, index: 1 }]);
    expect(isServedAlone(member, 1200 + LEASE_MS - 1)).toBe(true);
  });

  test("takes an answer to an older round for no more than that", () => {
    const member = leasedLeader([]);
    member.core.observeTime(1500);
    member.core.tick();
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(isServedAlone(member, 1000 + LEASE_MS - 1)).toBe(true);
    expect(isServedAlone(member, 1000 + LEASE_MS)).toBe(false);
  });

  test("has none any more once it began a hand-over, also after that came to nothing", () => {
    const member = leasedLeader([2, 3], { checkQuorum: true });
    member.core.transferLeadership(2);
    drain(member);
    expect(isServedAlone(member, 1001)).toBe(false);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    drain(member);
    expect(member.core.status().transferTarget).toBe(0);
    expect(isServedAlone(member, 1002)).toBe(false);
  });

  test("has none any more once its clock went backwards", () => {
    const member = leasedLeader([2]);
    expect(isServedAlone(member, 1100)).toBe(true);
    expect(isServedAlone(member, 1099)).toBe(false);
    expect(isServedAlone(member, 1101)).toBe(false);
  });

  test("gives it up with the office, and earns another one in the next", () => {
    const member = leasedLeader([2]);
    exchange(member, { type: "heartbeat", from: 2, to: 1, term: 2, commit: 1, readPosition: 0 });
    member.core.observeTime(1001);
    becomeLeader(member);
    exchange(member, accept(2, { term: 3, index: 2 }));
    expect(isServedAlone(member, 1002)).toBe(false);
  });
});

test("a lease is shorter by the drift that clocks may have", () => {
  const member = leasedLeader([2], { leaseReads: { driftPpm: 200_000, tickMs: TICK_MS } });
  expect(isServedAlone(member, 1000 + 0.8 * LEASE_MS - 1)).toBe(true);
  expect(isServedAlone(member, 1000 + 0.8 * LEASE_MS)).toBe(false);
});

test("an answer of a follower that lost its store renews no lease", () => {
  const member = leasedLeader([]);
  member.core.peerLostStore(2);
  exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
  expect(isServedAlone(member, 1001)).toBe(false);
});

test("without lease reads heartbeats name no position that nobody waits for", () => {
  const member = soloLeader({ size: 3 });
  member.core.tick();
  expect(ofType(drain(member), "heartbeat").map((message) => message.readPosition)).toEqual([0, 0]);
});

test("rounds that nobody answers are given up, the oldest first", () => {
  const lease = new LeaderLease(leaseReads, ELECTION_TICKS);
  for (let position = 1; position <= 2000; position++) lease.roundSent(position, position);
  lease.confirmed(900);
  expect(lease.isValid(900)).toBe(false);
  lease.confirmed(1000);
  expect([lease.isValid(1000), lease.isValid(1000 + LEASE_MS)]).toEqual([true, false]);
});

test("no other leader is elected while a lease lasts, and one is soon after", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = new TestCluster({ size: 3, seed, options: { leaseReads } });
    for (const member of cluster.members) for (let tick = 0; tick < ELECTION_TICKS - 1; tick++) member.core.tick();
    cluster.member(1).core.overrideElectionTimeout(ELECTION_TICKS);
    for (const id of [2, 3]) cluster.member(id).core.overrideElectionTimeout(2 * ELECTION_TICKS);
    for (const id of [1, 2, 3]) cluster.tick(id);
    cluster.settle();
    expect(cluster.member(1).core.role).toBe("leader");
    cluster.member(1).core.observeTime(0);
    cluster.tick(1);
    cluster.settle();
    cluster.isolate(1);
    let ticks = 0;
    for (; ticks < 10 * ELECTION_TICKS && cluster.member(2).core.role !== "leader" && cluster.member(3).core.role !== "leader"; ticks++) {
      for (const id of [2, 3]) cluster.tick(id);
      cluster.settle();
    }
    cluster.member(1).core.observeTime(ticks * TICK_MS);
    cluster.member(1).core.readIndex(1);
    cluster.settle();
    expect(cluster.member(1).reads).toEqual([]);
    expect(ticks).toBeLessThan(5 * ELECTION_TICKS);
  }
});
