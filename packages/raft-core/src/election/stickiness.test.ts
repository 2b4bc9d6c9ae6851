import { describe, expect, test } from "vitest";
import type { CoreOptions } from "../options.ts";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { soloLeader } from "../testing/solo-leader.ts";
import { append, exchange, heartbeat, preVoteRequest, soloMember, voteRequest } from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** Who heard a leader within the shortest election time-out helps nobody to replace it (dissertation 4.2.3). */

const longerLog = { term: 9, lastIndex: 99, lastTerm: 8 };

/** A follower of member 2 in term 1 that heard from it `ticks` ago. */
function followerAfter(ticks: number, options: Partial<CoreOptions> = {}): TestMember {
  const member = soloMember({ size: 3, term: 1, options });
  exchange(member, heartbeat(2, { term: 1 }));
  member.core.overrideElectionTimeout(2 * ELECTION_TICKS);
  for (let tick = 0; tick < ticks; tick++) member.core.tick();
  return member;
}

describe.each([
  ["vote", voteRequest(3, longerLog)],
  ["vote in advance", preVoteRequest(3, longerLog)],
] as const)("a request for a %s", (_, request) => {
  test("is not even answered while the leader was heard a moment ago", () => {
    for (const ticks of [0, ELECTION_TICKS - 1]) {
      const member = followerAfter(ticks);
      expect(exchange(member, request)).toEqual([]);
      expect(member.core.status()).toMatchObject({ term: 1, leader: 2, vote: 0 });
    }
  });

  test("is answered once the leader was silent for the shortest election time-out", () => {
    expect(exchange(followerAfter(ELECTION_TICKS), request)).toMatchObject([{ to: 3, term: 9, granted: true }]);
  });

  test("is not answered by the leader itself", () => {
    const leader = soloLeader({ size: 3 });
    for (let tick = 0; tick < ELECTION_TICKS; tick++) leader.core.tick();
    expect(exchange(leader, request).filter((message) => message.to === 3 && "granted" in message)).toEqual([]);
    expect(leader.core.status()).toMatchObject({ role: "leader", term: 1 });
  });

  test("is answered right after the start, when no leader is known", () => {
    expect(exchange(soloMember({ size: 3, term: 1 }), request)).toMatchObject([{ granted: true }]);
  });

  test("is answered where the quorum is not checked: such a leader may stay for ever", () => {
    expect(exchange(followerAfter(0, { checkQuorum: false }), request)).toMatchObject([{ granted: true }]);
  });
});

test("each sign of life of the leader counts, also appends", () => {
  const member = followerAfter(ELECTION_TICKS - 1);
  exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0 }));
  for (let tick = 1; tick < ELECTION_TICKS; tick++) member.core.tick();
  expect(exchange(member, voteRequest(3, longerLog))).toEqual([]);
});

test("a candidate chosen by the leader is voted for at once", () => {
  expect(exchange(followerAfter(0), voteRequest(3, { ...longerLog, isTransfer: true }))).toMatchObject([{ term: 9, granted: true }]);
});

test("a member that campaigns itself stands by nobody", () => {
  const member = followerAfter(0);
  member.core.campaign();
  expect(
    exchange(member, voteRequest(3, longerLog)).filter((message) => message.to === 3 && message.type === "requestVoteResponse"),
  ).toMatchObject([{ term: 9, granted: true }]);
});

test("what is ignored is told of, with the ticks that are left", () => {
  const events = new RecordedEvents();
  const member = followerAfter(3, { onEvent: events.sink });
  exchange(member, voteRequest(3, longerLog));
  expect(events.ofType("voteRequestIgnored")).toMatchObject([{ ownTerm: 1, vote: 0, remainingTicks: ELECTION_TICKS - 3, lastIndex: 0 }]);
});

describe("with lease reads, a member that was restarted", () => {
  const options = { leaseReads: { driftPpm: 0, tickMs: 100 } };

  test("gives no vote for an election time-out, since it can't know whom it stood by", () => {
    const member = soloMember({ size: 3, term: 1, options });
    member.core.overrideElectionTimeout(2 * ELECTION_TICKS);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) {
      expect(exchange(member, voteRequest(3, longerLog))).toEqual([]);
      member.core.tick();
    }
    expect(exchange(member, voteRequest(3, longerLog))).toMatchObject([{ granted: true }]);
  });

  test("gives it to whom a leader chose, and to anybody where the reference is followed", () => {
    const chosen = soloMember({ size: 3, term: 1, options });
    expect(exchange(chosen, voteRequest(3, { ...longerLog, isTransfer: true }))).toMatchObject([{ granted: true }]);
    const asReference = soloMember({ size: 3, term: 1, options: { ...options, reference: { voteRightAfterStart: true } } });
    expect(exchange(asReference, voteRequest(3, longerLog))).toMatchObject([{ granted: true }]);
  });
});

test("a leader is superseded only after its voters have missed it for an election time-out", () => {
  const cluster = new TestCluster({ size: 3, options: { preVote: false } });
  cluster.elect(1);
  cluster.isolate(1);
  cluster.member(2).core.campaign();
  cluster.settle();
  expect(cluster.member(2).core.role).toBe("candidate");
  passTime(cluster, ELECTION_TICKS - 1, [3]);
  expect(cluster.member(3).core.status()).toMatchObject({ term: 1, leader: 1 });
  passTime(cluster, 4 * ELECTION_TICKS, [2, 3]);
  expect(leadersOf(cluster).filter((id) => id !== 1)).toHaveLength(1);
});
