import { describe, expect, test } from "vitest";
import { votersOnly } from "./membership/configuration.ts";
import { addVoter, changeOf } from "./testing/member-changes.ts";
import { RecordedEvents } from "./testing/recorded-events.ts";
import { acceptances, peerStatus, soloLeader } from "./testing/solo-leader.ts";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeat,
  heartbeatAnswer,
  preVoteRequest,
  refuse,
  type SoloSetup,
  soloMember,
  vote,
  voteRequest,
} from "./testing/solo-member.ts";
import { ELECTION_TICKS, payload } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";

/** What a core tells of is what was true at that moment. */

interface Watched {
  readonly member: TestMember;
  readonly events: RecordedEvents;
}

/** A member that tells of everything from now on. */
function watched(setup: SoloSetup, make: (setup: SoloSetup) => TestMember = soloMember): Watched {
  const events = new RecordedEvents();
  const member = make({ ...setup, options: { ...setup.options, onEvent: events.sink } });
  drain(member);
  events.clear();
  return { member, events };
}

describe("the start", () => {
  test("is told of with what was found, after the members and the role", () => {
    const events = new RecordedEvents();
    const configuration = { ...votersOnly([1, 4]), outgoing: [1, 2], learners: [9] };
    soloMember({ size: 0, configuration, terms: [1, 3], term: 5, commit: 1, options: { onEvent: events.sink } });
    expect(events.all).toEqual([
      { type: "configurationSwitched", configuration },
      { type: "roleEntered", role: "follower", term: 5 },
      { type: "started", voters: [1, 2, 4], term: 5, commit: 1, applied: 0, lastIndex: 2, lastTerm: 3 },
    ]);
  });
});

describe("terms and roles", () => {
  test("an election that is won is told of step by step", () => {
    const { member, events } = watched({ size: 3, terms: [1], options: { preVote: false } });
    becomeLeader(member);
    expect(events.all.filter((event) => event.type !== "configurationSwitched")).toEqual([
      { type: "electionStarted", term: 1 },
      { type: "roleEntered", role: "candidate", term: 2 },
      { type: "voteRequested", request: "requestVote", to: 2, ownTerm: 2, lastIndex: 1, lastTerm: 1 },
      { type: "voteRequested", request: "requestVote", to: 3, ownTerm: 2, lastIndex: 1, lastTerm: 1 },
      { type: "voteReceived", phase: "vote", from: 1, granted: true, ownTerm: 2 },
      { type: "votesCounted", phase: "vote", granted: 1, refused: 0 },
      { type: "voteReceived", phase: "vote", from: 2, granted: true, ownTerm: 2 },
      { type: "votesCounted", phase: "vote", granted: 2, refused: 0 },
      { type: "roleEntered", role: "leader", term: 2 },
    ]);
  });

  test("a later term is told of before the member enters it, an earlier one with what was ignored", () => {
    const { member, events } = watched({ size: 3, term: 3 });
    const later = heartbeat(2, { term: 7 });
    const earlier = vote(2, { term: 2 });
    exchange(member, later, earlier);
    expect(events.all).toEqual([
      { type: "higherTermSeen", message: later, ownTerm: 3 },
      { type: "roleEntered", role: "follower", term: 7 },
      { type: "lowerTermIgnored", message: earlier, ownTerm: 7 },
    ]);
  });

  test("a vote is told of with the vote that was given before", () => {
    const { member, events } = watched({ size: 3, terms: [1], term: 2 });
    const first = voteRequest(2, { term: 2, lastIndex: 1, lastTerm: 1 });
    const second = voteRequest(3, { term: 2, lastIndex: 1, lastTerm: 1 });
    const outdated = preVoteRequest(3, { term: 1, lastIndex: 0, lastTerm: 0 });
    exchange(member, first, second, outdated);
    const end = { ownTerm: 2, lastIndex: 1, lastTerm: 1 };
    expect(events.all).toEqual([
      { type: "voteCast", request: first, vote: 0, ...end },
      { type: "voteRefused", request: second, vote: 2, ...end },
      { type: "voteRefused", request: outdated, vote: 2, ...end },
    ]);
  });

  test("a campaign that can't be, a leader that is forgotten and a read that nobody takes are told of", () => {
    const { member, events } = watched({ size: 0, configuration: { ...votersOnly([2]), learners: [1] }, term: 1 });
    member.core.campaign();
    member.core.readIndex(1);
    exchange(member, heartbeat(2, { term: 1 }));
    member.core.forgetLeader();
    expect(events.all).toEqual([
      { type: "campaignRefused", reason: "unpromotable", term: 1 },
      { type: "readDropped", term: 1 },
      { type: "leaderForgotten", leader: 2, term: 1 },
    ]);
  });
});

describe("replication", () => {
  test("a refusal is told of where it is given and where it arrives", () => {
    const follower = watched({ size: 3, terms: [1, 2] });
    const question = append(2, { term: 3, prevIndex: 2, prevTerm: 1 });
    exchange(follower.member, question);
    expect(follower.events.ofType("appendRefused")).toEqual([{ type: "appendRefused", message: question, ownTermAtPrev: 2 }]);
    const leader = watched({ size: 3, terms: [1, 1] });
    becomeLeader(leader.member, 2);
    const answer = refuse(2, { term: 2, index: 2, hintIndex: 1, hintTerm: 1 });
    exchange(leader.member, answer);
    expect(leader.events.ofType("refusalReceived")).toEqual([{ type: "refusalReceived", message: answer }]);
    expect(leader.events.ofType("progressDecreased")).toMatchObject([{ peer: { id: 2, next: 2, state: "probe" } }]);
  });

  test("lost messages are told of with where the peer stands afterwards", () => {
    const { member, events } = watched({ size: 3 }, soloLeader);
    member.core.reportUnreachable(2);
    expect(events.all).toEqual([{ type: "peerUnreachable", peer: peerStatus(member, 2) }]);
    member.core.reportUnreachable(7);
    expect(events.all[1]).toEqual({ type: "peerUnknown", from: 7 });
  });

  test("a snapshot is told of from its start to its end, however it ends", () => {
    for (const [end, cause] of [
      [(leader: TestMember) => leader.core.reportSnapshot(3, true), "stored"],
      [(leader: TestMember) => leader.core.reportSnapshot(3, false), "failed"],
      [(leader: TestMember) => exchange(leader, accept(3, { term: 2, index: 4 })), "caught_up"],
    ] as const) {
      const { member, events } = watched({ size: 3, terms: [1, 1, 1] });
      becomeLeader(member);
      exchange(member, accept(2, { term: 2, index: 4 }));
      member.takeSnapshot(0);
      for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
      member.core.propose([payload("x")]);
      drain(member);
      events.clear();
      exchange(member, refuse(3, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }));
      const snapshot = { index: 4, term: 2, configuration: votersOnly([1, 2, 3]) };
      expect(events.ofType("snapshotSent")).toMatchObject([{ snapshot, firstIndex: 5, commit: 4, peer: { id: 3, state: "probe" } }]);
      expect(events.ofType("replicationPaused")).toMatchObject([{ peer: { id: 3, state: "snapshot", pendingSnapshot: 4 } }]);
      end(member);
      expect(events.ofType("replicationResumed")).toMatchObject([{ cause, peer: { id: 3 } }]);
    }
  });

  test("a snapshot that is kept back from a silent member is told of", () => {
    const { member, events } = watched({ size: 3, terms: [1, 1] });
    becomeLeader(member);
    exchange(member, accept(2, { term: 2, index: 3 }), accept(3, { term: 2, index: 1 }));
    member.takeSnapshot(0);
    member.core.reportUnreachable(3);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) {
      member.core.tick();
      exchange(member, heartbeatAnswer(2, { term: 2 }));
    }
    member.core.propose([payload("x")]);
    expect(events.ofType("snapshotNotSent").at(-1)).toEqual({ type: "snapshotNotSent", to: 3 });
  });
});

describe("the log", () => {
  test("a conflict is told of with both terms, and what became of what waited for the disk", () => {
    const { member, events } = watched({ size: 3, terms: [1], term: 1 });
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2, 2] }));
    member.core.step(append(3, { term: 3, prevIndex: 2, prevTerm: 2, terms: [3] }));
    member.core.step(append(2, { term: 4, prevIndex: 1, prevTerm: 1, terms: [4] }));
    expect(events.all.filter((event) => event.type === "conflictFound" || event.type.startsWith("unstable"))).toEqual([
      { type: "conflictFound", index: 3, existingTerm: 2, conflictingTerm: 3 },
      { type: "unstableTruncated", beforeIndex: 3 },
      { type: "conflictFound", index: 2, existingTerm: 2, conflictingTerm: 4 },
      { type: "unstableReplaced", fromIndex: 2 },
    ]);
  });

  test("acknowledgements of the disk that come too late are told of with the reason", () => {
    const { member, events } = watched({ size: 3, terms: [1], term: 1 });
    const job = (): void => {
      member.collect();
    };
    member.core.step(append(2, { term: 1, prevIndex: 1, prevTerm: 1, terms: [1, 1] }));
    job();
    member.core.step(heartbeat(2, { term: 2 }));
    job();
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2] }));
    job();
    for (let jobs = 0; jobs < 3; jobs++) member.write();
    expect(events.all.filter((event) => event.type.startsWith("acknowledgement"))).toEqual([
      { type: "acknowledgementOutdated", term: 1, ownTerm: 2 },
      { type: "acknowledgementMismatched", index: 3, term: 1, existingTerm: 2 },
    ]);
  });

  test("acknowledgements of what a shorter log or a snapshot replaced are told of", () => {
    const { member, events } = watched({ size: 3, terms: [1], term: 2 });
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [1, 1] }));
    member.collect();
    member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2] }));
    member.write();
    expect(events.ofType("acknowledgementIgnored")).toEqual([{ type: "acknowledgementIgnored", cause: "missing", index: 3 }]);
    const restored = watched({ size: 3, terms: [1], term: 2 });
    restored.member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2] }));
    restored.member.collect();
    const snapshot = { index: 3, term: 3, configuration: votersOnly([1, 2, 3]) };
    restored.member.core.step({ type: "installSnapshot", from: 2, to: 1, term: 3, snapshot });
    restored.member.core.acknowledge({ term: 3, lastIndex: 3, lastTerm: 2, snapshot: null });
    expect(restored.events.ofType("acknowledgementIgnored")).toEqual([{ type: "acknowledgementIgnored", cause: "snapshot", index: 3 }]);
  });
});

describe("received snapshots", () => {
  const snapshot = { index: 5, term: 2, configuration: votersOnly([1, 2, 3]) };
  const install = { type: "installSnapshot", from: 2, to: 1, term: 2, snapshot } as const;

  test("that replace the log are told of with what was there before", () => {
    const { member, events } = watched({ size: 3, terms: [1, 1], commit: 1 });
    member.core.step(append(2, { term: 2, prevIndex: 2, prevTerm: 1, terms: [2] }));
    events.clear();
    member.receiveSnapshot(install, 7);
    const before = { commit: 1, applied: 1, applying: 1, unstableOffset: 3, unstableInProgress: 3, unstableCount: 1 };
    expect(events.all).toEqual([
      { type: "snapshotRestoreStarted", snapshot, ...before },
      { type: "configurationSwitched", configuration: snapshot.configuration },
      { type: "snapshotRestored", snapshot, commit: 5, lastIndex: 5, lastTerm: 2 },
      { type: "snapshotHandled", snapshot, commit: 5, taken: true },
    ]);
  });

  test("that the log already holds are told of with the commit index before", () => {
    const { member, events } = watched({ size: 3, terms: [1, 1, 2, 2, 2, 2], commit: 1 });
    member.core.step(install);
    expect(events.all).toEqual([
      { type: "snapshotFastForwarded", snapshot, commit: 1, lastIndex: 6, lastTerm: 2 },
      { type: "snapshotHandled", snapshot, commit: 5, taken: false },
    ]);
  });

  test("that the reference refuses are told of with the reason", () => {
    const { member, events } = watched({
      size: 0,
      configuration: votersOnly([7]),
      term: 2,
      options: { reference: { refuseSnapshotsWithoutSelf: true } },
    });
    const without = { ...snapshot, configuration: votersOnly([2, 3]) };
    member.core.step({ ...install, snapshot: without });
    expect(events.all).toEqual([
      { type: "snapshotRefused", snapshot: without },
      { type: "snapshotHandled", snapshot: without, commit: 0, taken: false },
    ]);
  });
});

test("a change of members is told of when it is in force", () => {
  const { member, events } = watched({ size: 3 }, soloLeader);
  member.core.proposeChange(changeOf(addVoter(4)));
  drain(member);
  expect(events.ofType("configurationSwitched")).toEqual([]);
  exchange(member, ...acceptances(member));
  expect(events.ofType("configurationSwitched")).toEqual([{ type: "configurationSwitched", configuration: votersOnly([1, 2, 3, 4]) }]);
});

test("a hand-over is told of at both ends", () => {
  const leader = watched({ size: 3 }, soloLeader);
  leader.member.core.transferLeadership(2);
  leader.member.core.transferLeadership(2);
  expect(leader.events.all).toEqual([
    { type: "transferStarted", target: 2, term: 1 },
    { type: "timeoutNowSent", target: 2, caughtUp: false },
    { type: "transferRefused", reason: "in_progress", target: 2, term: 1 },
  ]);
  const target = watched({ size: 3, term: 1 });
  exchange(target.member, { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false });
  expect(target.events.all.slice(0, 2)).toEqual([
    { type: "timeoutNowReceived", from: 2, term: 1 },
    { type: "electionStarted", term: 1 },
  ]);
});
