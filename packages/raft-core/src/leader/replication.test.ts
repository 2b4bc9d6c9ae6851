import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppendEntries, PeerMessage } from "../messages.ts";
import { peerStatus, sentTo, soloLeader } from "../testing/solo-leader.ts";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeatAnswer,
  ofType,
  refuse,
  soloMember,
  termsOf,
} from "../testing/solo-member.ts";
import { payload, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import type { PeerStatus } from "../types.ts";

/** What a leader sends its followers, and what it makes of their answers (dissertation 3.5, 3.6). */

function appendsTo(messages: readonly PeerMessage[], id: number): readonly AppendEntries[] {
  return ofType(sentTo(messages, id), "appendEntries");
}

function indexes(appends: readonly AppendEntries[]): readonly number[] {
  return appends.flatMap((message) => message.entries.map((entry) => entry.index));
}

function propose(member: TestMember, count: number): void {
  for (let i = 0; i < count; i++) member.core.propose([payload("x")]);
}

/** A leader of term 2 with a log of five older entries that waits for member 2's answer to its first append, after index 5. */
function probingLeader(): TestMember {
  const member = soloMember({ size: 3, terms: [1, 1, 1, 1, 1] });
  becomeLeader(member, 2);
  return member;
}

describe("commit", () => {
  test.each<{ size: number; older: number[]; proposals: number; matches: number[]; commit: number }>([
    { size: 1, older: [], proposals: 0, matches: [], commit: 1 },
    { size: 1, older: [1], proposals: 1, matches: [], commit: 3 },
    { size: 3, older: [1, 2], proposals: 0, matches: [0, 0], commit: 0 },
    { size: 3, older: [1, 2], proposals: 0, matches: [2, 0], commit: 0 },
    { size: 3, older: [1, 2], proposals: 0, matches: [2, 2], commit: 0 },
    { size: 3, older: [1, 2], proposals: 0, matches: [3, 0], commit: 3 },
    { size: 3, older: [1, 2], proposals: 0, matches: [3, 2], commit: 3 },
    { size: 3, older: [1, 2], proposals: 1, matches: [3, 0], commit: 3 },
    { size: 3, older: [1, 2], proposals: 1, matches: [4, 3], commit: 4 },
    { size: 4, older: [1, 2], proposals: 0, matches: [3, 0, 0], commit: 0 },
    { size: 4, older: [1, 2], proposals: 0, matches: [3, 2, 2], commit: 0 },
    { size: 4, older: [1, 2], proposals: 0, matches: [3, 3, 0], commit: 3 },
    { size: 4, older: [1, 2], proposals: 1, matches: [4, 3, 3], commit: 3 },
    { size: 4, older: [1, 2], proposals: 1, matches: [4, 4, 2], commit: 4 },
  ])("of $size members over $older with $proposals proposals and acknowledgements up to $matches is $commit", (row) => {
    const member = soloMember({ size: row.size, terms: row.older, term: 2 });
    becomeLeader(member);
    propose(member, row.proposals);
    drain(member);
    row.matches.forEach((index, place) => exchange(member, accept(place + 2, { term: 3, index })));
    expect(member.core.commit).toBe(row.commit);
  });

  test("of what older leaders left behind comes with the empty entry of the new one, and not before", () => {
    const cluster = new TestCluster({ size: 3, terms: { 1: [1, 1], 2: [1, 1], 3: [1, 1] } });
    cluster.passes = (message) => message.type !== "appendEntries" || message.entries.every((entry) => entry.term < 2);
    cluster.elect(1);
    expect(cluster.member(1).core.commit).toBe(0);
    cluster.heal();
    cluster.tick(1);
    cluster.settle();
    expect(cluster.members.map((member) => member.core.commit)).toEqual([3, 3, 3]);
  });

  test("is told to all as soon as it moves, also to who has nothing new to get", () => {
    const member = soloLeader({ size: 3 });
    propose(member, 1);
    drain(member);
    const sent = exchange(member, accept(2, { term: 1, index: 2 }));
    expect([2, 3].map((id) => appendsTo(sent, id).map((message) => [message.commit, message.entries.length]))).toEqual([
      [[2, 0]],
      [[2, 0]],
    ]);
  });

  test("is told at once to a follower that catches up with it", () => {
    const member = soloLeader({ size: 3, options: { inflightMessagesMax: 2, appendBytesMax: 1 } });
    propose(member, 2);
    drain(member);
    exchange(member, accept(3, { term: 1, index: 3 }));
    member.core.tick();
    drain(member);
    expect(appendsTo(exchange(member, accept(2, { term: 1, index: 2 })), 2)).toMatchObject([{ commit: 3, entries: [] }]);
  });

  test("is told again to a follower that may have lost it, with its next answer", () => {
    const member = soloLeader({ size: 3 });
    propose(member, 3);
    drain(member);
    exchange(member, accept(3, { term: 1, index: 4 }));
    member.core.reportUnreachable(2);
    const sent = exchange(member, accept(2, { term: 1, index: 4 }));
    expect(appendsTo(sent, 2)).toMatchObject([{ prevIndex: 4, commit: 4, entries: [] }]);
  });

  test("that has not moved is no reason to send anything", () => {
    const member = soloLeader({ size: 5 });
    propose(member, 3);
    drain(member);
    expect(exchange(member, accept(2, { term: 1, index: 2 }), accept(2, { term: 1, index: 2 }))).toEqual([]);
  });

  test("that a heartbeat named lower is named again with the next answer", () => {
    const [withHeartbeat, without] = [true, false].map((ticks) => {
      const member = soloLeader({ size: 3 });
      propose(member, 2);
      drain(member);
      exchange(member, accept(3, { term: 1, index: 3 }));
      if (ticks) member.core.tick();
      drain(member);
      return appendsTo(exchange(member, accept(2, { term: 1, index: 2 })), 2).map((message) => message.commit);
    });
    expect(withHeartbeat).toEqual([3]);
    expect(without).toEqual([]);
  });
});

describe("a commit index that may wait", () => {
  const options = { commitMayWait: true };

  /** A leader whose entry 2 has just been committed by member 2, of which nobody was told. */
  function untold(size = 3): { readonly member: TestMember; readonly sent: readonly PeerMessage[] } {
    const member = soloLeader({ size, options });
    propose(member, 1);
    drain(member);
    const accepting = Array.from({ length: Math.floor(size / 2) }, (_, place) => accept(place + 2, { term: 1, index: 2 }));
    const sent = exchange(member, ...accepting);
    expect(member.core.commit).toBe(2);
    return { member, sent };
  }

  const toldTo = (messages: readonly PeerMessage[]): readonly unknown[] =>
    ofType(messages, "appendEntries").map(({ to, commit, entries }) => [to, commit, entries.length]);

  test("goes nowhere by itself", () => {
    const { member, sent } = untold();
    expect([sent, member.core.isCommitUntold(2)]).toEqual([[], true]);
    expect(exchange(member, accept(3, { term: 1, index: 2 }))).toEqual([]);
  });

  test("goes with the next entries", () => {
    const { member } = untold();
    propose(member, 1);
    expect([toldTo(drain(member)), member.core.isCommitUntold(2)]).toEqual([
      [
        [2, 2, 1],
        [3, 2, 1],
      ],
      false,
    ]);
  });

  test("goes with the next heartbeat", () => {
    const { member } = untold();
    member.core.tick();
    expect(drain(member).map((message) => (message.type === "heartbeat" ? [message.to, message.commit] : message))).toEqual([
      [2, 2],
      [3, 1],
    ]);
    expect(member.core.isCommitUntold(2)).toBe(true);
    member.core.tellCommit();
    expect(toldTo(drain(member))).toEqual([[3, 2, 0]]);
  });

  test("is told when the driver says so, and once", () => {
    const { member } = untold(5);
    member.core.tellCommit();
    expect(toldTo(drain(member))).toEqual([2, 3, 4, 5].map((id) => [id, 2, 0]));
    expect(member.core.isCommitUntold(2)).toBe(false);
    member.core.tellCommit();
    expect(drain(member)).toEqual([]);
  });

  test("is told at once when somebody else proposed", () => {
    const member = soloLeader({ size: 3, options });
    exchange(member, { type: "forwardPropose", from: 3, to: 1, kind: "command", payloads: [payload("x")] });
    propose(member, 1);
    drain(member);
    const all = [2, 3].map((id) => [id, 2, 0]);
    expect(toldTo(exchange(member, accept(2, { term: 1, index: 2 })))).toEqual(all);
    expect(toldTo(exchange(member, accept(2, { term: 1, index: 3 })))).toEqual([]);
  });

  test("is told at once to a follower that reads", () => {
    const { member } = untold();
    const sent = exchange(member, { type: "readIndexRequest", from: 3, to: 1, requestId: 7 });
    expect(toldTo(sent)).toEqual([[3, 2, 0]]);
  });

  test("is told at once to a follower that reads, and then acknowledges what it lacked", () => {
    const { member } = untold();
    exchange(member, { type: "readIndexRequest", from: 3, to: 1, requestId: 7 });
    member.core.tick();
    drain(member);
    expect(toldTo(exchange(member, accept(3, { term: 1, index: 2 })))).toEqual([[3, 2, 0]]);
  });

  test("is told at once to a follower that reads, also one that moves before the read has its index", () => {
    const member = soloLeader({ size: 3, options });
    propose(member, 1);
    drain(member);
    exchange(member, { type: "readIndexRequest", from: 3, to: 1, requestId: 7 });
    exchange(member, accept(2, { term: 1, index: 2 }));
    expect(member.core.isCommitUntold(2)).toBe(false);
  });

  test("is told at once to those whom a change of members removes, and when the leader removes itself", () => {
    const untoldOf = (id: number): boolean => {
      const member = soloLeader({ size: 3, options });
      member.core.proposeChange({ transition: "auto", operations: [{ type: "remove", id }], context: payload("") });
      drain(member);
      member.core.step(accept(2, { term: 1, index: 2 }));
      const told = new Set(toldTo(member.collect()?.messages ?? []).map((message) => JSON.stringify(message)));
      expect(told).toEqual(new Set(["[2,2,0]", "[3,2,0]"]));
      return member.core.isCommitUntold(2);
    };
    expect([1, 3].map(untoldOf)).toEqual([false, false]);
  });

  test("is told at once when a new leader commits what it found", () => {
    const member = soloMember({ size: 3, terms: [1, 1], options });
    becomeLeader(member);
    const sent = [2, 3].map((id) => toldTo(exchange(member, accept(id, { term: 2, index: 3 }))));
    expect(sent).toEqual([[[2, 3, 0]], [[3, 3, 0]]]);
  });

  test("is nobody else's business without leadership, or without followers", () => {
    const follower = soloMember({ size: 3, options });
    follower.core.tellCommit();
    const alone = soloLeader({ size: 1, options });
    propose(alone, 1);
    drain(alone);
    expect([follower.core.isCommitUntold(0), drain(follower), alone.core.isCommitUntold(2), alone.core.commit]).toEqual([
      false,
      [],
      false,
      2,
    ]);
  });
});

describe("while it probes, the leader takes", () => {
  test.each<readonly [string, PeerMessage, Partial<PeerStatus>]>([
    ["an old refusal", refuse(2, { term: 2, index: 3, hintIndex: 1, hintTerm: 1 }), { state: "probe", match: 0, next: 6 }],
    ["the refusal", refuse(2, { term: 2, index: 5, hintIndex: 2, hintTerm: 1 }), { state: "probe", match: 0, next: 3 }],
    ["a refusal without a hint", refuse(2, { term: 2, index: 5, hintIndex: 0, hintTerm: 0 }), { state: "probe", match: 0, next: 1 }],
    ["an acceptance", accept(2, { term: 2, index: 6 }), { state: "replicate", match: 6, next: 7 }],
    ["an acceptance of what came before", accept(2, { term: 2, index: 5 }), { state: "replicate", match: 5, next: 7 }],
  ])("%s for what it is", (_, message, expected) => {
    const member = probingLeader();
    exchange(member, message);
    expect(peerStatus(member, 2)).toMatchObject(expected);
  });

  test("an old acceptance as no answer to its question", () => {
    const member = soloLeader({ size: 3, terms: [1, 1, 1] });
    member.core.reportUnreachable(2);
    expect(exchange(member, accept(2, { term: 2, index: 3 }))).toEqual([]);
    expect(peerStatus(member, 2)).toMatchObject({ state: "probe", match: 4 });
  });

  test("an old refusal as no reason to send anything", () => {
    const member = probingLeader();
    expect(sentTo(exchange(member, refuse(2, { term: 2, index: 3, hintIndex: 1, hintTerm: 1 })), 2)).toEqual([]);
  });

  test("an answer that says nothing new as the end of it", () => {
    const member = soloLeader({ size: 3 });
    member.core.reportUnreachable(2);
    exchange(member, heartbeatAnswer(2, { term: 1 }));
    expect(peerStatus(member, 2)).toMatchObject({ state: "probe", match: 1 });
    exchange(member, accept(2, { term: 1, index: 1 }));
    expect(peerStatus(member, 2)).toMatchObject({ state: "replicate", match: 1, next: 2 });
  });
});

describe("who voted for the leader", () => {
  /** Its log ends at 6, with its own first entry; member 2 voted for it, member 3 did not. */
  function electedLeader(): TestMember {
    const member = soloMember({ size: 3, terms: [1, 1, 1, 1, 1] });
    becomeLeader(member, 3);
    return member;
  }

  test("gets append after append before it answers the first, where another one is probed", () => {
    const member = electedLeader();
    const sent = [1, 2].flatMap(() => {
      propose(member, 1);
      return drain(member);
    });
    expect(indexes(appendsTo(sent, 2))).toEqual([7, 8]);
    expect(appendsTo(sent, 3)).toEqual([]);
    expect(peerStatus(member, 2)).toMatchObject({ state: "replicate", match: 0, next: 9, inflightMessages: 3 });
    expect(peerStatus(member, 3)).toMatchObject({ state: "probe", match: 0, next: 6 });
  });

  test("is probed from where its log may agree once it refuses, and only for its first refusal", () => {
    const member = electedLeader();
    propose(member, 1);
    drain(member);
    const asked = appendsTo(exchange(member, refuse(2, { term: 2, index: 5, hintIndex: 2, hintTerm: 1 })), 2);
    expect(asked).toMatchObject([{ prevIndex: 2 }]);
    expect(appendsTo(exchange(member, refuse(2, { term: 2, index: 6, hintIndex: 2, hintTerm: 1 })), 2)).toEqual([]);
    expect(peerStatus(member, 2)).toMatchObject({ state: "probe", match: 0, next: 3 });
    exchange(member, accept(2, { term: 2, index: 7 }));
    expect(peerStatus(member, 2)).toMatchObject({ state: "replicate", match: 7, next: 8 });
  });

  test("is probed when what was sent may be lost, and replicated to from what it has", () => {
    const member = electedLeader();
    member.core.reportUnreachable(2);
    expect(peerStatus(member, 2)).toMatchObject({ state: "probe", match: 0, next: 7 });
    expect(appendsTo(exchange(member, heartbeatAnswer(2, { term: 2 })), 2)).toMatchObject([{ prevIndex: 6, entries: [] }]);
    const asked = appendsTo(exchange(member, refuse(2, { term: 2, index: 6, hintIndex: 5, hintTerm: 1 })), 2);
    expect(asked.map(({ prevIndex }) => prevIndex)).toEqual([5]);
    expect(indexes(asked)).toEqual([6]);
  });

  test("is known again from its first answer on: a later refusal goes back to what was verified", () => {
    const member = electedLeader();
    exchange(member, accept(2, { term: 2, index: 6 }));
    propose(member, 2);
    drain(member);
    expect(appendsTo(exchange(member, refuse(2, { term: 2, index: 7, hintIndex: 3, hintTerm: 1 })), 2)).toMatchObject([{ prevIndex: 6 }]);
  });
});

describe("where two logs part", () => {
  // Leader's log, follower's log, hint of the follower, where the leader asks next.
  test.each<{ own: number[]; other: number[]; hint: readonly [number, number]; next: number }>([
    { own: [1, 1, 1, 4, 4], other: [1, 1, 1, 2, 2], hint: [5, 2], next: 3 },
    { own: [1, 1, 1, 4, 4], other: [1, 1, 1, 2, 2, 2, 2], hint: [5, 2], next: 3 },
    { own: [1, 1, 1, 4, 4], other: [1, 1, 1, 4], hint: [4, 4], next: 4 },
    { own: [1, 1, 1, 4, 4], other: [1], hint: [1, 1], next: 1 },
    { own: [1, 1, 1, 4, 4], other: [], hint: [0, 0], next: 0 },
    { own: [1, 1, 3, 3, 3], other: [1, 1, 4, 4, 4], hint: [2, 1], next: 2 },
    { own: [1, 2, 3, 4, 4], other: [1, 1, 1, 1, 1], hint: [5, 1], next: 1 },
    { own: [2, 2, 2, 2, 2], other: [1, 1, 1, 1, 1], hint: [5, 1], next: 0 },
    { own: [1, 1, 2, 2, 2], other: [1, 1, 1, 3, 3, 3], hint: [3, 1], next: 2 },
  ])("of $own and $other, the follower's hint is $hint and the next question is about $next", ({ own, other, hint, next }) => {
    const follower = soloMember({ size: 3, terms: other, term: 5 });
    const leader = soloMember({ size: 3, terms: own, term: 5 });
    const first = appendsTo(becomeLeader(leader), 2)[0];
    if (first === undefined) throw new Error("The leader sends its first entry");
    const [refusal] = ofType(exchange(follower, { ...first, to: 1, from: 2 }), "appendEntriesResponse");
    expect(refusal).toMatchObject({ rejected: true, index: 5, hintIndex: hint[0], hintTerm: hint[1] });
    const [again] = appendsTo(exchange(leader, refuse(2, { term: 6, index: 5, hintIndex: hint[0], hintTerm: hint[1] })), 2);
    expect(again?.prevIndex).toBe(next);
  });

  test("a follower that holds a snapshot names it as the place to go on from", () => {
    const follower = soloMember({ size: 3, term: 3 });
    const snapshot = { index: 5, term: 3, configuration: follower.core.configuration };
    follower.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 3, snapshot }, 7);
    drain(follower);
    expect(exchange(follower, append(2, { term: 4, prevIndex: 8, prevTerm: 4 }))).toMatchObject([
      { rejected: true, index: 8, hintIndex: 5, hintTerm: 3 },
    ]);
  });

  test("is found in at most about one question per term, whatever the logs", () => {
    const terms = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }).map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.nat(10), terms, terms, (shared, own, other) => {
        const common = Array.from({ length: shared }, () => 1);
        // Even and odd terms: beyond the common part no entry of the one log is in the other.
        const tails = [own.map((term) => 2 * term), other.map((term) => 2 * term + 1)];
        const [ownLog, otherLog] = tails.map((tail) => [...common, ...tail]);
        const cluster = new TestCluster({ size: 2, terms: { 1: ownLog ?? [], 2: otherLog ?? [] }, term: 20, options: { preVote: false } });
        cluster.passes = ({ type }) => type !== "requestVote";
        cluster.member(1).core.campaign();
        cluster.settle();
        cluster.heal();
        cluster.member(1).core.step({ type: "requestVoteResponse", from: 2, to: 1, term: 21, granted: true });
        cluster.settle();
        expect(termsOf(cluster.member(2).disk.entries)).toEqual([...(ownLog ?? []), 21]);
        const refusals = ofType(cluster.sent, "appendEntriesResponse").filter((message) => message.rejected);
        expect(refusals.length).toBeLessThanOrEqual(new Set(own).size + 1);
      }),
      { numRuns: 200 },
    );
  });
});

describe("while it replicates, the leader", () => {
  test("sends what was proposed at once, several appends one behind the other", () => {
    const member = soloLeader({ size: 3 });
    const sent = [1, 2, 3].flatMap(() => {
      propose(member, 1);
      return appendsTo(drain(member), 2);
    });
    expect(sent.map((message) => message.prevIndex)).toEqual([1, 2, 3]);
    expect(peerStatus(member, 2)).toMatchObject({ match: 1, next: 5, inflightMessages: 3 });
  });

  test("sends pieces of the allowed size, at least one entry each, until nothing is left", () => {
    const member = probingLeader();
    member.core.propose([3, 3, 3, 9, 1].map((size) => new Uint8Array(size)));
    drain(member);
    const small = soloMember({ size: 3, options: { appendBytesMax: 6 } });
    becomeLeader(small, 2);
    small.core.propose([3, 3, 3, 9, 1].map((size) => new Uint8Array(size)));
    drain(small);
    const sent = appendsTo(exchange(small, accept(2, { term: 1, index: 1 })), 2);
    expect(sent.map((message) => indexes([message]))).toEqual([[2, 3], [4], [5], [6]]);
    expect(indexes(appendsTo(exchange(member, accept(2, { term: 2, index: 6 })), 2))).toEqual([7, 8, 9, 10, 11]);
  });

  test("goes back to what was verified when it hears that messages were lost", () => {
    const member = soloLeader({ size: 3 });
    propose(member, 3);
    drain(member);
    member.core.reportUnreachable(2);
    expect(peerStatus(member, 2)).toMatchObject({ state: "probe", match: 1, next: 2, inflightMessages: 0 });
    expect(indexes(appendsTo(exchange(member, heartbeatAnswer(2, { term: 1 })), 2))).toEqual([2, 3, 4]);
  });

  test("takes no report about a probing follower for news", () => {
    const member = probingLeader();
    const before = peerStatus(member, 2);
    member.core.reportUnreachable(2);
    expect(peerStatus(member, 2)).toEqual(before);
  });

  test("repeats what is not acknowledged with each heartbeat answered, once, and nothing afterwards", () => {
    const member = probingLeader();
    for (let round = 0; round < 3; round++) {
      expect(appendsTo(exchange(member, heartbeatAnswer(2, { term: 2 })), 2)).toHaveLength(1);
      propose(member, 1);
      expect(appendsTo(drain(member), 2)).toEqual([]);
    }
    exchange(member, accept(2, { term: 2, index: member.core.lastIndex }));
    expect(appendsTo(exchange(member, heartbeatAnswer(2, { term: 2 })), 2)).toEqual([]);
  });

  test("never moves match back, whatever comes late and in whatever order", () => {
    const answers = fc.oneof(
      fc.integer({ min: 0, max: 6 }).map((index) => accept(2, { term: 2, index })),
      fc
        .tuple(fc.integer({ min: 0, max: 6 }), fc.nat(6), fc.constantFrom(0, 1))
        .map(([index, hint, hintTerm]) => refuse(2, { term: 2, index, hintIndex: Math.min(hint, index), hintTerm })),
      fc.constant(heartbeatAnswer(2, { term: 2 })),
    );
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 40 }), (messages) => {
        const member = probingLeader();
        for (const message of messages) {
          const before = peerStatus(member, 2);
          exchange(member, message);
          const after = peerStatus(member, 2);
          expect(after.match).toBeGreaterThanOrEqual(before.match);
          expect(after.next).toBeGreaterThan(after.match);
        }
      }),
      { numRuns: 200 },
    );
  });
});

test("messages that only other roles take are ignored by a leader", () => {
  const member = soloLeader({ size: 3 });
  const before = member.core.status();
  const sent = exchange(
    member,
    { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false },
    { type: "requestVoteResponse", from: 2, to: 1, term: 1, granted: false },
    { type: "requestPreVoteResponse", from: 3, to: 1, term: 1, granted: false },
    { type: "readIndexResponse", from: 2, to: 1, requestId: 1, index: 1 },
  );
  expect([sent, member.core.status(), member.core.campaign()]).toEqual([[], before, "already_leader"]);
});
