import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import type { CoreOptions } from "../options.ts";
import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { addVoter, changeOf } from "../testing/member-changes.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { acceptances, soloLeader } from "../testing/solo-leader.ts";
import {
  append,
  drain,
  exchange,
  heartbeat,
  ofType,
  preVote,
  preVoteRequest,
  soloMember,
  vote,
  voteRequest,
} from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";

/** A reset connection or an unusual silence is no proof that the leader is gone, but reason enough to ask. */

/** A follower of member `leader` among `size` voters. Member 1 is the first in the order of standing for election. */
function follower(leader = 2, size = 3, options: Partial<CoreOptions> = {}): TestMember {
  const member = soloMember({ size, term: 1, options });
  exchange(member, heartbeat(leader, { term: 1 }));
  return member;
}

const longerLog = { term: 2, lastIndex: 99, lastTerm: 1 };

describe("a hint about the leader", () => {
  test.each(["peerDown", "leaderSilent"] as const)("by %s lets the first in line ask for pre-votes at once", (hint) => {
    const member = follower();
    expect(hint === "peerDown" ? member.core.peerDown(2) : member.core.leaderSilent()).toBe("started");
    expect(ofType(drain(member), "requestPreVote").map((message) => message.to)).toEqual([2, 3]);
    expect(member.core.status()).toMatchObject({ role: "preCandidate", term: 1, vote: 0, suspectsLeader: true });
  });

  test("lets the others wait a tick for each one before them", () => {
    const cluster = new TestCluster({ size: 5, options: { hintStaggerTicks: 2 } });
    cluster.elect(2);
    const askedAfter = [1, 3, 4, 5].map((id) => {
      const { core } = cluster.member(id);
      const outcome = core.peerDown(2);
      expect(outcome).toBe(id === 1 ? "started" : "deferred");
      let ticks = 0;
      for (; core.role === "follower"; ticks++) core.tick();
      return ticks;
    });
    expect(askedAfter).toEqual([0, 2, 4, 6]);
  });

  test("frees the vote of who got it, also of who may not stand itself", () => {
    const learner = soloMember({ size: 0, configuration: { ...votersOnly([2, 3]), learners: [1] }, term: 1 });
    exchange(learner, heartbeat(2, { term: 1 }));
    expect(exchange(learner, preVoteRequest(3, longerLog))).toEqual([]);
    expect(learner.core.peerDown(2)).toBe("unpromotable");
    expect(exchange(learner, preVoteRequest(3, longerLog))).toMatchObject([{ to: 3, granted: true }]);
  });

  test("given twice makes nobody ask twice", () => {
    const member = follower();
    member.core.peerDown(2);
    drain(member);
    expect([member.core.peerDown(2), member.core.leaderSilent()]).toEqual(["hint_ignored", "hint_ignored"]);
    expect(drain(member)).toEqual([]);
  });

  test("to who waits for its turn changes nothing", () => {
    const cluster = new TestCluster({ size: 3, options: { hintStaggerTicks: 50 } });
    cluster.elect(2);
    const { core } = cluster.member(3);
    expect([core.leaderSilent(), core.peerDown(2)]).toEqual(["deferred", "deferred"]);
    expect(core.status()).toMatchObject({ role: "follower", leader: 2, suspectsLeader: true });
    core.step({ ...heartbeat(2, { term: 1 }), to: 3 });
    expect(core.status().suspectsLeader).toBe(false);
  });

  test("is forgotten at the leader's next word", () => {
    for (const message of [heartbeat(2, { term: 1 }), append(2, { term: 1, prevIndex: 0, prevTerm: 0 })]) {
      const member = follower();
      member.core.peerDown(2);
      drain(member);
      exchange(member, message);
      expect(member.core.status()).toMatchObject({ role: "follower", leader: 2, term: 1, suspectsLeader: false });
      expect(exchange(member, voteRequest(3, longerLog))).toEqual([]);
    }
  });

  test("whose pre-votes nobody answers is followed by others, each after twice as long a while", () => {
    const member = follower(2, 3, { electionTicks: 100 });
    member.core.peerDown(2);
    const asked: number[] = [];
    for (let tick = 0; tick < 90; tick++) {
      if (ofType(drain(member), "requestPreVote").length > 0) asked.push(tick);
      member.core.tick();
    }
    const pauses = asked.slice(1).map((tick, place) => tick - (asked[place] ?? 0));
    for (const [place, pause] of pauses.entries()) {
      const shortest = 3 * 2 ** place;
      expect(pause).toBeGreaterThanOrEqual(shortest);
      expect(pause).toBeLessThan(3 * shortest);
    }
    expect(pauses.length).toBeGreaterThan(1);
  });

  test("that others do not share yet ends with a refusal, in the same term, and is put again", () => {
    const member = follower();
    member.core.peerDown(2);
    drain(member);
    exchange(member, ...[2, 3].map((from) => preVote(from, { term: 1, granted: false })));
    expect(member.core.status()).toMatchObject({ role: "follower", term: 1, suspectsLeader: true });
    for (let tick = 0; tick < ELECTION_TICKS - 1; tick++) member.core.tick();
    expect(ofType(drain(member), "requestPreVote").length).toBeGreaterThan(0);
  });

  test("lets a candidate whose votes were split try again before its election time-out", () => {
    const member = follower();
    member.core.peerDown(2);
    drain(member);
    exchange(member, preVote(3, { term: 2 }));
    expect(exchange(member, voteRequest(3, { term: 2, lastIndex: 0, lastTerm: 0 }))).toMatchObject([{ granted: false }]);
    exchange(member, vote(3, { term: 2, granted: false }));
    expect(member.core.status()).toMatchObject({ role: "candidate", term: 2 });
    for (let tick = 0; tick < ELECTION_TICKS - 1; tick++) member.core.tick();
    expect(ofType(drain(member), "requestPreVote")[0]).toMatchObject({ term: 3 });
  });

  test("leaves an election alone that nobody has refused yet, for disks may be slow", () => {
    const member = follower();
    member.core.peerDown(2);
    drain(member);
    exchange(member, preVote(3, { term: 2 }));
    for (let tick = 0; tick < ELECTION_TICKS - 1; tick++) member.core.tick();
    expect(member.core.status()).toMatchObject({ role: "candidate", term: 2 });
  });

  test("does nothing at a member that knows of no members", () => {
    const member = soloMember({ size: 0 });
    exchange(member, heartbeat(2, { term: 1 }));
    expect(member.core.peerDown(2)).toBe("unpromotable");
  });

  test("lets who knows more than the one that asks stand in its place, without waiting for its turn", () => {
    const cluster = new TestCluster({ size: 3, terms: { 1: [1], 2: [1, 1], 3: [1, 1] }, options: { hintStaggerTicks: 5 } });
    cluster.elect(2);
    cluster.passes = ({ to }) => to !== 1;
    cluster.propose(2, "what member 1 lacks");
    cluster.heal();
    cluster.isolate(2);
    for (const id of [3, 1]) cluster.member(id).core.peerDown(2);
    cluster.settle();
    expect(leadersOf(cluster)).toEqual([2, 3]);
  });

  test("waits while an election that it helps is under way", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(2);
    const third = cluster.member(3);
    third.core.peerDown(2);
    const { lastIndex, term } = third.core;
    const request = { ...preVoteRequest(1, { term: term + 1, lastIndex, lastTerm: term }), to: 3 };
    expect(exchange(third, request)).toMatchObject([{ to: 1, granted: true }]);
    third.core.tick();
    third.core.tick();
    expect(third.core.role).toBe("follower");
  });

  test("is told of with its cause", () => {
    const events = new RecordedEvents();
    const member = follower(2, 3, { onEvent: events.sink });
    member.core.peerDown(2);
    exchange(member, heartbeat(2, { term: 1 }));
    member.core.leaderSilent();
    expect(events.ofType("leaderSuspected")).toEqual([
      { type: "leaderSuspected", leader: 2, cause: "connection_reset" },
      { type: "leaderSuspected", leader: 2, cause: "silence" },
    ]);
  });
});

describe("a hint is ignored", () => {
  test.each<readonly [string, (member: TestMember) => string, Partial<CoreOptions>]>([
    ["about a member that does not lead", ({ core }) => core.peerDown(3), {}],
    ["about nobody", ({ core }) => core.peerDown(0), {}],
    ["where no pre-votes are asked", ({ core }) => core.peerDown(2), { preVote: false }],
    ["where a lease relies on the full time-out", ({ core }) => core.leaderSilent(), { leaseReads: { driftPpm: 0, tickMs: 1 } }],
  ])("%s", (_, hint, options) => {
    const member = follower(2, 3, options);
    const before = member.core.status();
    expect(hint(member)).toBe("hint_ignored");
    expect([member.core.status(), member.collect()]).toEqual([before, undefined]);
  });

  test("by who leads, knows no leader, or is quarantined", () => {
    const quarantined = follower();
    quarantined.core.quarantine({ kind: "storage", description: "a checksum is wrong" });
    for (const { core } of [soloLeader({ size: 3 }), soloMember({ size: 3 }), quarantined]) {
      expect([core.leaderSilent(), core.peerDown(2), core.peerDown(1)]).toEqual(["hint_ignored", "hint_ignored", "hint_ignored"]);
    }
  });
});

test("a member with a change of members to apply suspects, but does not stand", () => {
  const leader = soloLeader({ size: 3 });
  leader.core.proposeChange(changeOf(addVoter(4)));
  const entry = leader.core.entryAt(2);
  if (entry === undefined) throw new Error("The change is in the log");
  exchange(leader, ...acceptances(leader));
  const member = follower();
  member.core.step({ ...append(2, { term: 1, prevIndex: 0, prevTerm: 0, commit: 1 }), entries: [{ ...entry, index: 1 }] });
  expect(member.core.peerDown(2)).toBe("unapplied_configuration");
});

describe("a cluster", () => {
  test("replaces a leader that died within a few ticks", () => {
    for (let dead = 1; dead <= 5; dead++) {
      const cluster = new TestCluster({ size: 5 });
      cluster.elect(dead);
      cluster.isolate(dead);
      const others = [1, 2, 3, 4, 5].filter((id) => id !== dead);
      for (const id of others) cluster.member(id).core.peerDown(dead);
      cluster.settle();
      passTime(cluster, 4, others);
      const leaders = leadersOf(cluster).filter((id) => id !== dead);
      expect(leaders).toEqual([others[0]]);
      expect(cluster.member(leaders[0] ?? 0).core.term).toBe(2);
    }
  });

  test("keeps a leader that lives, in its term, whoever hears false alarms", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    for (let round = 0; round < 3 * ELECTION_TICKS; round++) {
      cluster.member(2 + (round % 2)).core.leaderSilent();
      cluster.settle();
      passTime(cluster, 1);
      expect(leadersOf(cluster)).toEqual([1]);
    }
    expect(cluster.member(1).core.term).toBe(1);
  });

  test("that all suspect wrongly changes its leader at the cost of one term, and goes on", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(3);
    for (const id of [1, 2]) cluster.member(id).core.leaderSilent();
    cluster.settle();
    passTime(cluster, 4);
    cluster.propose(leadersOf(cluster)[0] ?? 0, "x");
    expect(leadersOf(cluster)).toHaveLength(1);
    for (const member of cluster.members) expect(member.core.term).toBeLessThanOrEqual(2);
    expect(new Set(cluster.members.map((member) => member.core.commit)).size).toBe(1);
  });
});
