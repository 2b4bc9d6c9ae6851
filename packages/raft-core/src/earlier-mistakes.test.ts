import { describe, expect, test } from "vitest";
import { votersOnly } from "./membership/configuration.ts";
import { addVoter, changeOf } from "./testing/member-changes.ts";
import { peerStatus, soloLeader } from "./testing/solo-leader.ts";
import { append, drain, exchange, heartbeat, heartbeatAnswer, ofType, preVote, refuse, soloMember, vote } from "./testing/solo-member.ts";
import { ELECTION_TICKS } from "./testing/test-cluster.ts";

/** What this core itself once got wrong. */

describe("an election", () => {
  test("is not won by a grant for an earlier question", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.campaign();
    exchange(member, heartbeat(2, { term: 2 }));
    member.core.forgetLeader();
    member.core.campaign();
    drain(member);
    exchange(member, preVote(3, { term: 2 }));
    expect(member.core.role).toBe("preCandidate");
    exchange(member, preVote(3, { term: 3 }));
    expect(member.core.role).toBe("candidate");
  });

  test("is not begun by who lets a leader rely on a lease, whoever asks for it", () => {
    const member = soloMember({ size: 3, options: { leaseReads: { driftPpm: 0, tickMs: 10 } } });
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0 }));
    expect(member.core.campaign()).toBe("loyal");
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.campaign()).toBe("started");
  });
});

describe("a leader", () => {
  test("sends what is proposed in the turn of its election along with its first entry", () => {
    const member = soloMember({ size: 3, options: { preVote: false } });
    member.core.campaign();
    drain(member);
    member.core.step(vote(2, { term: 1 }));
    member.core.propose([new Uint8Array([7])]);
    const sent = ofType(member.collect()?.messages ?? [], "appendEntries");
    expect(sent.map(({ to, entries }) => [to, entries.length])).toEqual([
      [2, 2],
      [3, 2],
    ]);
  });

  test("asks a member that refuses what it acknowledged once for each heartbeat, not for ever", () => {
    const member = soloLeader({ size: 3 });
    member.core.reportUnreachable(2);
    member.core.propose([new Uint8Array([7])]);
    drain(member);
    const refusal = refuse(2, { term: 1, index: 1, hintIndex: 0, hintTerm: 0 });
    expect(exchange(member, refusal)).toEqual([]);
    expect(exchange(member, heartbeatAnswer(2, { term: 1 }))).toHaveLength(1);
    expect([exchange(member, refusal), peerStatus(member, 2).match]).toEqual([[], 1]);
  });

  test("that hears nobody steps down, however often it is asked to hand over", () => {
    const member = soloLeader({ size: 3 });
    for (let tick = 0; tick < 3 * ELECTION_TICKS; tick++) {
      if (tick % 4 === 0) member.core.transferLeadership(tick % 8 === 0 ? 2 : 3);
      member.core.tick();
      drain(member);
    }
    expect(member.core.role).toBe("follower");
  });

  test("makes no voter of a learner that lags or is silent", () => {
    const configuration = { ...votersOnly([1, 2]), learners: [3] };
    const member = soloLeader({ size: 0, configuration, options: { promotionLagMax: 2 } });
    const promote = () => member.core.proposeChange(changeOf(addVoter(3)));
    for (let count = 0; count < 3; count++) member.core.propose([new Uint8Array(1)]);
    drain(member);
    expect(promote()).toEqual({ outcome: "dropped", reason: "learner_behind" });
    exchange(member, { ...heartbeatAnswer(3, { term: 1 }) });
    const { lastIndex } = member.core;
    exchange(member, {
      type: "appendEntriesResponse",
      from: 3,
      to: 1,
      term: 1,
      index: lastIndex,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    });
    expect(promote()).toMatchObject({ outcome: "accepted" });
  });
});

test("hasReady tells of reads that wait to be sent, at a leader and at a follower", () => {
  const leader = soloLeader({ size: 3 });
  const follower = soloMember({ size: 3, term: 1 });
  exchange(follower, heartbeat(2, { term: 1 }));
  for (const { core } of [leader, follower]) {
    expect(core.hasReady).toBe(false);
    core.readIndex(1);
    expect(core.hasReady).toBe(true);
    core.ready();
    expect(core.hasReady).toBe(false);
  }
});
