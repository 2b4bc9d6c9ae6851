import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppendEntries, PeerMessage } from "./messages.ts";
import { accept, append, drain, exchange, heartbeat, ofType, soloMember, termsOf } from "./testing/solo-member.ts";
import { ELECTION_TICKS, entriesOf, payload, TestCluster } from "./testing/test-cluster.ts";

/** What a follower does with what its leader sends (dissertation 3.5). */

describe("an append", () => {
  // Own log: terms 1 2, nothing committed.
  test.each<{ prevTerm: number; prevIndex: number; terms: number[]; commit: number; last: number; committed: number; answer: object }>([
    {
      prevTerm: 3,
      prevIndex: 2,
      terms: [],
      commit: 3,
      last: 2,
      committed: 0,
      answer: { rejected: true, index: 2, hintIndex: 2, hintTerm: 2 },
    },
    {
      prevTerm: 1,
      prevIndex: 2,
      terms: [],
      commit: 3,
      last: 2,
      committed: 0,
      answer: { rejected: true, index: 2, hintIndex: 1, hintTerm: 1 },
    },
    {
      prevTerm: 3,
      prevIndex: 3,
      terms: [],
      commit: 3,
      last: 2,
      committed: 0,
      answer: { rejected: true, index: 3, hintIndex: 2, hintTerm: 2 },
    },
    { prevTerm: 1, prevIndex: 1, terms: [], commit: 1, last: 2, committed: 1, answer: { rejected: false, index: 1 } },
    { prevTerm: 0, prevIndex: 0, terms: [2], commit: 1, last: 1, committed: 1, answer: { rejected: false, index: 1 } },
    { prevTerm: 2, prevIndex: 2, terms: [2, 2], commit: 3, last: 4, committed: 3, answer: { rejected: false, index: 4 } },
    { prevTerm: 2, prevIndex: 2, terms: [2], commit: 4, last: 3, committed: 3, answer: { rejected: false, index: 3 } },
    { prevTerm: 1, prevIndex: 1, terms: [2], commit: 4, last: 2, committed: 2, answer: { rejected: false, index: 2 } },
    { prevTerm: 1, prevIndex: 1, terms: [], commit: 3, last: 2, committed: 1, answer: { rejected: false, index: 1 } },
    { prevTerm: 1, prevIndex: 1, terms: [3], commit: 3, last: 2, committed: 2, answer: { rejected: false, index: 2 } },
    { prevTerm: 2, prevIndex: 2, terms: [], commit: 4, last: 2, committed: 2, answer: { rejected: false, index: 2 } },
  ])("after $prevIndex of term $prevTerm with $terms that commits $commit leaves $last entries, $committed committed", (row) => {
    const member = soloMember({ size: 3, terms: [1, 2], term: 3 });
    const answers = exchange(member, append(2, { term: 3, ...row }));
    expect(answers).toMatchObject([{ type: "appendEntriesResponse", to: 2, term: 3, ...row.answer }]);
    expect([member.core.lastIndex, member.core.commit]).toEqual([row.last, row.committed]);
  });

  test("is answered as far as it reaches, not as far as the own log does", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1, 1] });
    expect(exchange(member, append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [1] }))).toMatchObject([{ index: 2 }]);
  });

  test("before what is committed is answered by the commit index, whatever it holds", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1, 1], commit: 3 });
    expect(exchange(member, append(2, { term: 2, prevIndex: 1, prevTerm: 1, commit: 4 }))).toMatchObject([{ index: 3, rejected: false }]);
    expect(member.core.commit).toBe(3);
  });

  test("of the leader restarts the election timer, and tells who leads", () => {
    const member = soloMember({ size: 3, term: 1 });
    for (let tick = 1; tick < ELECTION_TICKS; tick++) member.core.tick();
    exchange(member, append(2, { term: 1, prevIndex: 5, prevTerm: 1 }));
    for (let tick = 1; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.status()).toMatchObject({ role: "follower", leader: 2 });
  });

  /** The leader's terms are odd, those of a tail that it knows nothing of even: no entry of the one is one of the other. */
  const log = [1, 1, 3, 3, 5, 5, 5, 7];

  function pieceOf(prevIndex: number, count: number): AppendEntries {
    const terms = log.slice(prevIndex, prevIndex + count);
    return append(2, { term: 7, prevIndex, prevTerm: log[prevIndex - 1] ?? 0, terms, commit: prevIndex });
  }

  test("of any part of the leader's log, in any order, is answered only for what then equals it", () => {
    const ownLog = fc
      .tuple(fc.nat(log.length), fc.array(fc.constantFrom(2, 4, 6), { maxLength: 6 }))
      .map(([shared, tail]) => [...log.slice(0, shared), ...tail.filter((term) => term > (log[shared - 1] ?? 0)).sort((a, b) => a - b)]);
    const pieces = fc.array(fc.tuple(fc.nat(log.length), fc.nat(3)), { maxLength: 30 });
    fc.assert(
      fc.property(ownLog, pieces, (terms, sent) => {
        const member = soloMember({ size: 3, terms, term: 7 });
        for (const [prevIndex, count] of sent) {
          const before = member.core.commit;
          const [answer] = ofType(exchange(member, pieceOf(prevIndex, count)), "appendEntriesResponse");
          const verified = answer === undefined || answer.rejected ? 0 : answer.index;
          expect(termsOf(member.disk.entries).slice(0, verified)).toEqual(log.slice(0, verified));
          expect(member.core.commit).toBeGreaterThanOrEqual(before);
        }
        exchange(member, pieceOf(member.core.commit, log.length));
        expect(termsOf(member.disk.entries)).toEqual(log);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a heartbeat", () => {
  test("commits what its sender knows this member to have, and never backwards", () => {
    const member = soloMember({ size: 3, terms: [1, 2, 3], commit: 1 });
    const committed = [2, 1, 3, 0].map((commit) => {
      expect(exchange(member, heartbeat(2, { term: 3, commit }))).toMatchObject([{ type: "heartbeatResponse", to: 2, term: 3 }]);
      return member.core.commit;
    });
    expect(committed).toEqual([2, 2, 3, 3]);
  });

  test("is answered at once, with the position that it asks about, whatever waits for the disk", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.step(append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] }));
    member.collect();
    member.core.step({ type: "heartbeat", from: 2, to: 1, term: 1, commit: 0, readPosition: 17 });
    expect(member.collect()?.messages).toEqual([{ type: "heartbeatResponse", from: 1, to: 2, term: 1, readPosition: 17 }]);
  });
});

describe("a proposal", () => {
  const X = [payload("x")];

  test("of a follower goes to its leader as it is, commands and changes of members alike", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    expect(cluster.member(2).core.propose([payload("a"), payload("b")])).toEqual({ outcome: "forwarded", to: 1 });
    cluster.settle();
    expect(
      cluster
        .member(3)
        .applied.slice(1)
        .map((entry) => String.fromCharCode(...entry.data)),
    ).toEqual(["a", "b"]);
  });

  test("is dropped with the reason where it can't be passed on", () => {
    const noLeader = { outcome: "dropped", reason: "no_leader" };
    const fresh = soloMember({ size: 3 });
    expect(fresh.core.propose(X)).toEqual(noLeader);
    fresh.core.campaign();
    expect(fresh.core.propose(X)).toEqual(noLeader);
    const reserved = soloMember({ size: 3, options: { forwardProposals: false } });
    exchange(reserved, heartbeat(2, { term: 1 }));
    expect(reserved.core.propose(X)).toEqual({ outcome: "dropped", reason: "not_forwarded" });
  });

  test("that was forwarded here goes no further, but where the reference is followed", () => {
    const forwarded = { type: "forwardPropose", kind: "command", from: 3, to: 1, payloads: X } as const;
    for (const forwardAgain of [false, true]) {
      const member = soloMember({ size: 3, options: { reference: { forwardAgain } } });
      expect(exchange(member, forwarded)).toEqual([]);
      exchange(member, heartbeat(2, { term: 1 }));
      expect(exchange(member, forwarded)).toEqual(forwardAgain ? [{ ...forwarded, to: 2 }] : []);
    }
  });

  test("that was lost with its leader can be made again at the next one, and is there once", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(1);
    cluster.propose(1, "lost");
    cluster.elect(2);
    cluster.propose(2, "lost");
    cluster.heal();
    for (const id of [2, 1]) cluster.tick(id, 2);
    cluster.settle();
    cluster.tick(2);
    cluster.settle();
    for (const member of cluster.members) {
      const texts = member.applied.map((entry) => String.fromCharCode(...entry.data));
      expect(texts.filter((text) => text === "lost")).toHaveLength(1);
    }
  });
});

test("answers and reports that are for a leader are ignored by a follower", () => {
  const member = soloMember({ size: 3, terms: [1] });
  drain(member);
  member.core.reportUnreachable(2);
  member.core.reportSnapshot(2, true);
  member.core.peerLostStore(2);
  const before = member.core.status();
  const answers: readonly PeerMessage[] = [
    accept(2, { term: 1, index: 1 }),
    { type: "heartbeatResponse", from: 2, to: 1, term: 1, readPosition: 0 },
    { type: "requestVoteResponse", from: 2, to: 1, term: 1, granted: true },
    { type: "requestPreVoteResponse", from: 2, to: 1, term: 1, granted: true },
    { type: "readIndexResponse", from: 2, to: 1, requestId: 5, index: 1 },
  ];
  expect(exchange(member, ...answers)).toEqual([]);
  expect(member.core.status()).toEqual(before);
  expect(entriesOf([1])).toEqual(member.disk.entries);
});
