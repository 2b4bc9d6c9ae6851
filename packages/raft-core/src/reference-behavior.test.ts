import { describe, expect, test } from "vitest";
import { votersOnly } from "./membership/configuration.ts";
import { RaftCore } from "./raft-core.ts";
import { addVoter, changeOf, remove } from "./testing/member-changes.ts";
import { SeededRandom } from "./testing/seeded-random.ts";
import { acceptances, soloLeader } from "./testing/solo-leader.ts";
import { accept, append, drain, exchange, heartbeat, heartbeatAnswer, ofType, soloMember, voteRequest } from "./testing/solo-member.ts";
import { ELECTION_TICKS, entriesOf, payload } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";

/** Where this implementation is safer than the one it is compared with, and can be told to do as that one does. */

describe("vote requests", () => {
  test("wait until the log is durable, but not in the reference", () => {
    for (const [requestVotesBeforeDurable, expected] of [
      [false, []],
      [true, [2, 3]],
    ] as const) {
      const member = soloMember({ size: 3, options: { preVote: false, reference: { requestVotesBeforeDurable } } });
      member.core.step(append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] }));
      member.core.campaign();
      expect(ofType(member.collect()?.messages ?? [], "requestVote").map((message) => message.to)).toEqual(expected);
    }
  });
});

describe("messages", () => {
  const wrong = [
    { ...heartbeat(2, { term: 4 }), readPosition: 0.5 },
    { ...heartbeat(2, { term: 5 }), to: 9 },
  ];

  test("are looked at before they are taken, but not in the reference", () => {
    const careful = soloMember({ size: 3 });
    expect(wrong.map((message) => careful.core.step(message))).toEqual(["malformed", "misaddressed"]);
    const trusting = soloMember({ size: 3, options: { reference: { trustMessages: true } } });
    expect(wrong.map((message) => trusting.core.step(message))).toEqual([null, null]);
    expect(trusting.core.term).toBe(5);
  });

  test("are believed there also where they contradict what is known", () => {
    const contradiction = heartbeat(3, { term: 1 });
    for (const [trustMessages, expected] of [
      [false, "second_leader"],
      [true, null],
    ] as const) {
      const member = soloMember({ size: 3, options: { reference: { trustMessages } } });
      exchange(member, heartbeat(2, { term: 1 }));
      expect(member.core.step(contradiction)).toBe(expected);
    }
  });

  test("and a log may there begin in a term that its member has not seen", () => {
    const hardState = { term: 0, vote: 0, commit: 0 };
    const start = { hardState, snapshot: null, entries: entriesOf([1]), configuration: votersOnly([1]) };
    const options = { id: 1, electionTicks: 10, heartbeatTicks: 1 };
    expect(() => new RaftCore(options, start, new SeededRandom(1))).toThrow("No entry is of a later term than the member has seen");
    const core = new RaftCore({ ...options, reference: { trustMessages: true } }, start, new SeededRandom(1));
    expect([core.term, core.lastIndex]).toEqual([0, 1]);
  });
});

describe("leaving a joint configuration by itself", () => {
  test("is tried again with the heartbeats, but not in the reference", () => {
    for (const leaveJointOnlyAtApply of [false, true]) {
      const member = soloLeader({ size: 3, options: { checkQuorum: false, reference: { leaveJointOnlyAtApply } } });
      member.core.proposeChange(changeOf(addVoter(4), remove(3)));
      member.core.propose([payload("x")]);
      drain(member);
      member.core.transferLeadership(2);
      exchange(member, accept(2, { term: 1, index: 2 }));
      for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
      exchange(member, heartbeatAnswer(2, { term: 1 }));
      expect(member.core.lastIndex).toBe(leaveJointOnlyAtApply ? 3 : 4);
      exchange(member, ...acceptances(member));
      drain(member);
      exchange(member, ...acceptances(member));
      expect(member.core.configuration).toEqual(votersOnly([1, 2, 4]));
    }
  });
});

describe("a change of members that was handed out before a snapshot came", () => {
  /** A member that was handed the change to voters 1 to 4, and then got a snapshot with voters 1 to 5. */
  function overtaken(changesApplyDuringRestore: boolean): TestMember {
    const leader = soloLeader({ size: 3 });
    leader.core.proposeChange(changeOf(addVoter(4), { type: "update", id: 1 }));
    const change = leader.core.entryAt(2);
    if (change === undefined) throw new Error("The change is in the log");
    const member = soloMember({ size: 3, term: 1, options: { reference: { changesApplyDuringRestore } } });
    const entries = [{ ...change, index: 1 }];
    exchange(member, { ...append(2, { term: 1, prevIndex: 0, prevTerm: 0 }), entries });
    member.core.step(heartbeat(2, { term: 1, commit: 1 }));
    member.collect();
    const snapshot = { index: 9, term: 1, configuration: votersOnly([1, 2, 3, 4, 5]) };
    member.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 1, snapshot }, 7);
    return member;
  }

  test("does not alter the snapshot's configuration, but does in the reference", () => {
    const member = overtaken(false);
    member.apply();
    expect(member.core.configuration).toEqual(votersOnly([1, 2, 3, 4, 5]));
    drain(member);
    expect(member.core.status()).toMatchObject({ applied: 9, configuration: votersOnly([1, 2, 3, 4, 5]) });
    const asReference = overtaken(true);
    asReference.apply();
    expect(asReference.core.configuration).toMatchObject({ outgoing: [1, 2, 3, 4, 5] });
  });
});

test("a vote right after the start is refused with lease reads, but not in the reference", () => {
  const longerLog = { term: 2, lastIndex: 9, lastTerm: 1 };
  for (const [voteRightAfterStart, answers] of [
    [false, 0],
    [true, 1],
  ] as const) {
    const options = { leaseReads: { driftPpm: 0, tickMs: 100 }, reference: { voteRightAfterStart } };
    expect(exchange(soloMember({ size: 3, term: 1, options }), voteRequest(2, longerLog))).toHaveLength(answers);
  }
});
