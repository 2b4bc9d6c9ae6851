import { describe, expect, test } from "vitest";
import type { CoreOptions } from "../options.ts";
import { soloLeader } from "../testing/solo-leader.ts";
import {
  accept,
  append,
  drain,
  exchange,
  heartbeat,
  heartbeatAnswer,
  ofType,
  preVote,
  preVoteRequest,
  soloMember,
  vote,
  voteRequest,
} from "../testing/solo-member.ts";
import { ELECTION_TICKS } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** Votes and pre-votes as single members see them. */

const WITHOUT_PRE_VOTE: Partial<CoreOptions> = { preVote: false };
const WITHOUT_LOYALTY: Partial<CoreOptions> = { preVote: false, checkQuorum: false };

function candidate(options: Partial<CoreOptions> = WITHOUT_PRE_VOTE, size = 3): TestMember {
  const member = soloMember({ size, term: 1, options });
  member.core.campaign();
  drain(member);
  return member;
}

/** Ticks until a member that hears nothing more begins an election. */
function ticksUntilCampaign(member: TestMember): number {
  for (let ticks = 1; ticks <= 3 * ELECTION_TICKS; ticks++) {
    member.core.tick();
    if (member.core.role !== "follower") return ticks;
  }
  throw new Error("The member never timed out");
}

describe("a vote", () => {
  // Own log: terms 2 2. A log is at least as complete if it ends in a later term, or in the same term and at no lower index (paper 5.4.1).
  const logs = [
    [0, 0, false],
    [1, 1, false],
    [1, 2, false],
    [1, 3, false],
    [2, 1, false],
    [2, 2, true],
    [2, 3, true],
    [3, 1, true],
    [3, 2, true],
    [3, 9, true],
  ] as const;

  test.each(logs)("goes to a log that ends in term %i at index %i: %s", (lastTerm, lastIndex, granted) => {
    const member = soloMember({ size: 3, terms: [2, 2], term: 3 });
    const answers = exchange(member, voteRequest(2, { term: 4, lastIndex, lastTerm }));
    expect(answers).toMatchObject([{ type: "requestVoteResponse", to: 2, term: 4, granted }]);
    expect(member.diskHardState).toMatchObject({ term: 4, vote: granted ? 2 : 0 });
  });

  test.each(logs)("in advance goes to a log that ends in term %i at index %i: %s", (lastTerm, lastIndex, granted) => {
    const member = soloMember({ size: 3, terms: [2, 2], term: 3 });
    const answers = exchange(member, preVoteRequest(2, { term: 4, lastIndex, lastTerm }));
    expect(answers).toMatchObject([{ type: "requestPreVoteResponse", to: 2, term: granted ? 4 : 3, granted }]);
    expect(member.diskHardState).toMatchObject({ term: 3, vote: 0 });
  });

  test.each<readonly [string, () => TestMember, Partial<CoreOptions>]>([
    ["follower", () => soloMember({ size: 3, term: 1, options: WITHOUT_LOYALTY }), WITHOUT_LOYALTY],
    ["candidate", () => candidate(WITHOUT_LOYALTY), WITHOUT_LOYALTY],
    ["preCandidate", () => candidate({ preVote: true }), {}],
    ["leader", () => soloLeader({ size: 3, term: 1, options: WITHOUT_LOYALTY }), WITHOUT_LOYALTY],
  ])("of a later term is given by a %s, which becomes a follower", (role, make) => {
    const member = make();
    expect(member.core.role).toBe(role);
    const answers = exchange(member, voteRequest(2, { term: 9, lastIndex: 9, lastTerm: 8 }));
    expect(ofType(answers, "requestVoteResponse")).toMatchObject([{ term: 9, granted: true }]);
    expect(member.core.status()).toMatchObject({ role: "follower", term: 9, vote: 2, leader: 0 });
  });

  test.each<readonly [string, () => TestMember]>([
    ["candidate", () => candidate()],
    ["leader", () => soloLeader({ size: 3, term: 1 })],
  ])("of its own term is not given by a %s, which has voted for itself", (role, make) => {
    const member = make();
    expect(exchange(member, voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }))).toMatchObject([{ term: 2, granted: false }]);
    expect([member.core.role, member.diskHardState.vote]).toEqual([role, 1]);
  });

  test("is not given in a term whose leader is known, though none was given yet", () => {
    const member = soloMember({ size: 3, term: 1 });
    exchange(member, heartbeat(2, { term: 2 }));
    expect(exchange(member, voteRequest(3, { term: 2, lastIndex: 9, lastTerm: 1 }))).toMatchObject([{ to: 3, granted: false }]);
  });

  test("is repeated for who has it", () => {
    const member = soloMember({ size: 3, term: 1, vote: 2 });
    for (let round = 0; round < 2; round++) {
      expect(exchange(member, voteRequest(2, { term: 1, lastIndex: 0, lastTerm: 0 }))).toMatchObject([{ granted: true }]);
    }
  });

  test("restarts the election timer of who gives it, a refusal and a vote in advance do not", () => {
    const timeout = ticksUntilCampaign(soloMember({ size: 3, terms: [1] }));
    const withoutEffect = [
      voteRequest(2, { term: 1, lastIndex: 0, lastTerm: 0 }),
      preVoteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }),
    ];
    for (const message of withoutEffect) {
      const member = soloMember({ size: 3, terms: [1] });
      for (let tick = 1; tick < timeout; tick++) member.core.tick();
      exchange(member, message);
      expect(ticksUntilCampaign(member)).toBe(1);
    }
    const voter = soloMember({ size: 3, terms: [1], term: 2 });
    for (let tick = 1; tick < timeout; tick++) voter.core.tick();
    exchange(voter, voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }));
    expect(ticksUntilCampaign(voter)).toBe(timeout);
  });

  test("waits for the disk, a refusal as well", () => {
    const member = soloMember({ size: 3, terms: [1, 1] });
    for (const message of [
      voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }),
      voteRequest(3, { term: 2, lastIndex: 9, lastTerm: 1 }),
      preVoteRequest(3, { term: 3, lastIndex: 9, lastTerm: 1 }),
      preVoteRequest(3, { term: 3, lastIndex: 0, lastTerm: 0 }),
    ]) {
      member.core.step(message);
      const ready = member.collect();
      expect(ready?.messages).toEqual([]);
      expect(ready?.append?.messages).toHaveLength(1);
    }
  });
});

describe("a candidate", () => {
  test("counts the first answer of each voter", () => {
    const member = candidate(WITHOUT_PRE_VOTE, 5);
    exchange(member, vote(2, { term: 2, granted: false }), vote(2, { term: 2 }), vote(3, { term: 2 }));
    expect(member.core.role).toBe("candidate");
    exchange(member, vote(4, { term: 2 }));
    expect(member.core.role).toBe("leader");
  });

  test("that a majority denied follows, and waits for a whole time-out before it asks again", () => {
    const member = candidate();
    exchange(member, vote(2, { term: 2, granted: false }));
    expect(member.core.role).toBe("candidate");
    exchange(member, vote(3, { term: 2, granted: false }));
    expect(member.core.status()).toMatchObject({ role: "follower", term: 2, vote: 1, leader: 0 });
    expect(ticksUntilCampaign(member)).toBeGreaterThanOrEqual(ELECTION_TICKS);
  });

  test("asks the voters of both halves of a joint configuration, in ascending order, and needs both", () => {
    const configuration = { voters: [1, 5, 6], outgoing: [1, 2, 3], learners: [4], learnersNext: [], autoLeave: false };
    const member = soloMember({ size: 0, configuration, options: WITHOUT_PRE_VOTE });
    member.core.campaign();
    expect(drain(member).map((message) => message.to)).toEqual([2, 3, 5, 6]);
    exchange(member, vote(5, { term: 1 }), vote(6, { term: 1 }));
    expect(member.core.role).toBe("candidate");
    exchange(member, vote(2, { term: 1 }));
    expect(member.core.role).toBe("leader");
  });

  test("is not helped by learners and loses as soon as one half is lost", () => {
    const configuration = { voters: [1, 5, 6], outgoing: [1, 2, 3], learners: [4], learnersNext: [], autoLeave: false };
    const member = soloMember({ size: 0, configuration, options: WITHOUT_PRE_VOTE });
    member.core.campaign();
    drain(member);
    exchange(
      member,
      vote(4, { term: 1 }),
      vote(2, { term: 1 }),
      vote(5, { term: 1, granted: false }),
      vote(6, { term: 1, granted: false }),
    );
    expect(member.core.role).toBe("follower");
  });

  test.each([append(2, { term: 2, prevIndex: 5, prevTerm: 1, terms: [2] }), heartbeat(2, { term: 2 })])(
    "concedes to a leader of its own term: %#",
    (message) => {
      const member = candidate();
      exchange(member, message);
      expect(member.core.status()).toMatchObject({ role: "follower", term: 2, leader: 2, vote: 1 });
    },
  );
});

test("a candidate ignores what only other roles take", () => {
  const member = candidate();
  const before = member.core.status();
  const others = [heartbeatAnswer(2, { term: 2 }), accept(2, { term: 2, index: 0 })];
  expect([exchange(member, ...others), member.core.status()]).toEqual([[], before]);
});

describe("what a member says to itself too late", () => {
  test("is no vote once the election is lost", () => {
    const member = soloMember({ size: 3, term: 1, options: WITHOUT_PRE_VOTE });
    member.core.campaign();
    member.collect();
    for (const from of [2, 3]) member.core.step(vote(from, { term: 2, granted: false }));
    expect(member.core.role).toBe("follower");
    drain(member);
    expect(member.core.role).toBe("follower");
  });

  test("is no pre-vote once it is a candidate, and its answer to the next question counts anew", () => {
    const member = soloMember({ size: 5, term: 1 });
    member.core.campaign();
    member.collect();
    for (const from of [2, 3, 4]) member.core.step(preVote(from, { term: 2 }));
    expect([member.core.role, member.core.term]).toEqual(["candidate", 2]);
    drain(member);
    exchange(member, vote(2, { term: 2 }));
    expect(member.core.role).toBe("candidate");
    exchange(member, vote(3, { term: 2 }));
    expect(member.core.role).toBe("leader");
  });

  test("is no acknowledgement in a later term", () => {
    const member = soloMember({ size: 1, options: WITHOUT_PRE_VOTE });
    member.core.campaign();
    member.collect();
    member.write();
    member.collect();
    exchange(member, heartbeat(7, { term: 5 }));
    expect(member.core.status()).toMatchObject({ role: "follower", term: 5, commit: 0 });
  });
});
