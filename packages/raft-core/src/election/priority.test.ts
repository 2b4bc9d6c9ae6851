import { describe, expect, test } from "vitest";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { drain, exchange, grants, ofType, preVoteRequest, soloMember, vote, voteRequest } from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import { PRIORITY_ABOVE_ALL } from "./priority.ts";

/** A member would rather see another of higher rank lead, as long as nothing is lost by it. */

function prioritiesAsked(member: TestMember): readonly number[] {
  const sent = drain(member);
  return [...ofType(sent, "requestPreVote"), ...ofType(sent, "requestVote")].map((message) => message.priority);
}

describe("a voter", () => {
  test.each([
    { priority: 4, lastIndex: 2, lastTerm: 1, granted: false },
    { priority: 5, lastIndex: 2, lastTerm: 1, granted: true },
    { priority: 6, lastIndex: 2, lastTerm: 1, granted: true },
    { priority: 0, lastIndex: 3, lastTerm: 1, granted: true },
    { priority: 0, lastIndex: 1, lastTerm: 2, granted: true },
    { priority: 9, lastIndex: 1, lastTerm: 1, granted: false },
    { priority: PRIORITY_ABOVE_ALL, lastIndex: 2, lastTerm: 1, granted: true },
  ])("of priority 5 answers priority $priority with a log up to $lastIndex of term $lastTerm: $granted", ({ granted, ...log }) => {
    for (const request of [voteRequest(2, { term: 3, ...log }), preVoteRequest(2, { term: 3, ...log })]) {
      const member = soloMember({ size: 3, terms: [1, 1], term: 2, options: { priority: 5 } });
      expect(exchange(member, request)).toMatchObject([{ granted }]);
    }
  });
});

describe("a candidate", () => {
  test("names its priority, and after two elections without a leader one that nobody outranks", () => {
    const member = soloMember({ size: 3, options: { priority: 3 } });
    const asked = Array.from({ length: 4 }, () => {
      member.core.campaign();
      return prioritiesAsked(member)[0];
    });
    expect(asked).toEqual([3, 3, PRIORITY_ABOVE_ALL, PRIORITY_ABOVE_ALL]);
  });

  test("goes back to its own priority once somebody led", () => {
    const member = soloMember({ size: 3, options: { priority: 3, checkQuorum: false, preVote: false } });
    for (let round = 0; round < 3; round++) {
      member.core.campaign();
      drain(member);
    }
    exchange(member, vote(2, { term: 3 }));
    expect(member.core.role).toBe("leader");
    exchange(member, voteRequest(2, { term: 4, lastIndex: 0, lastTerm: 0 }));
    member.core.campaign();
    expect(prioritiesAsked(member)).toEqual([3, 3]);
  });

  test("uses the same priority for the pre-vote and the election that follows it", () => {
    const member = soloMember({ size: 3, options: { priority: 3 } });
    member.core.campaign();
    const questions = drain(member);
    expect(ofType(exchange(member, ...grants(questions)), "requestVote").map((message) => message.priority)).toEqual([3, 3]);
  });

  test("that the leader chose is outranked by nobody", () => {
    const member = soloMember({ size: 3, terms: [1], options: { priority: 0 } });
    member.core.step({ type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false });
    expect(prioritiesAsked(member)).toEqual([PRIORITY_ABOVE_ALL, PRIORITY_ABOVE_ALL]);
  });
});

describe("a cluster", () => {
  const optionsOf = { 1: { priority: 0 }, 2: { priority: 5 }, 3: { priority: 10 } };

  test("does not elect whom a majority outranks, as long as somebody else stands", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const cluster = new TestCluster({ size: 3, optionsOf, seed });
      passTime(cluster, 4 * ELECTION_TICKS);
      expect(leadersOf(cluster)).toHaveLength(1);
      expect(leadersOf(cluster)).not.toEqual([1]);
    }
  });

  test("elects the lowest rank if the others are gone, or refuse and never stand themselves", () => {
    for (const gone of [[2], [3], []]) {
      const cluster = new TestCluster({ size: 3, optionsOf });
      cluster.isolate(...gone);
      passTime(cluster, 10 * ELECTION_TICKS, [1]);
      expect(leadersOf(cluster)).toEqual([1]);
    }
  });

  test("elects a log that is complete, whatever its rank", () => {
    const cluster = new TestCluster({ size: 3, optionsOf, terms: { 1: [1, 1], 2: [1, 1], 3: [] }, term: 1 });
    passTime(cluster, 10 * ELECTION_TICKS);
    expect(leadersOf(cluster)).toHaveLength(1);
    expect(leadersOf(cluster)).not.toEqual([3]);
  });
});
