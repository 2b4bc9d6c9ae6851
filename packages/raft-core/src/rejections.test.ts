import { describe, expect, test } from "vitest";
import { TERM_JUMP_MAX } from "./contradiction.ts";
import { EMPTY_CONFIGURATION, votersOnly } from "./membership/configuration.ts";
import { INDEX_MAX, TERM_MAX } from "./message-check.ts";
import type { PeerMessage } from "./messages.ts";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeat,
  heartbeatAnswer,
  preVote,
  preVoteRequest,
  refuse,
  type SoloSetup,
  soloMember,
  vote,
  voteRequest,
} from "./testing/solo-member.ts";
import { ELECTION_TICKS, entriesOf } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";
import type { Configuration, LogEntry, StepRejection } from "./types.ts";

/** One message of another member, however wrong, stops nobody. */

interface Snapshot {
  readonly term: number;
  readonly index: number;
  readonly snapshotTerm: number;
  readonly voters?: readonly number[];
}

function install({ term, index, snapshotTerm, voters = [1, 2, 3] }: Snapshot): PeerMessage {
  return {
    type: "installSnapshot",
    from: 2,
    to: 1,
    term,
    snapshot: { index, term: snapshotTerm, configuration: { ...EMPTY_CONFIGURATION, voters } },
  };
}

/** It has no effect but that the member is taken out, since it lost data. */
function expectQuarantine(member: TestMember, message: PeerMessage, reason: "conflicts_with_committed" | "commit_beyond_log"): void {
  drain(member);
  const { commit, lastIndex, configuration } = member.core.status();
  expect(member.core.step(message)).toBe(reason);
  expect(member.core.status()).toMatchObject({ role: "follower", commit, lastIndex, configuration, quarantine: { kind: reason, from: 2 } });
  expect(drain(member)).toEqual([]);
}

function expectNoEffect(member: TestMember, message: PeerMessage, reason: StepRejection): void {
  drain(member);
  const before = member.core.status();
  expect(member.core.step(message)).toBe(reason);
  expect(member.core.status()).toEqual(before);
  expect(member.core.ready()).toBeUndefined();
}

function installIn(configuration: Configuration): PeerMessage {
  return { type: "installSnapshot", from: 2, to: 1, term: 3, snapshot: { index: 5, term: 3, configuration } };
}

const first = { prevIndex: 0, prevTerm: 0 };
const noBytes = new Uint8Array(0);
const noChange: LogEntry = { index: 1, term: 3, kind: "configuration", data: noBytes };

const malformed: readonly (readonly [string, PeerMessage])[] = [
  ["entries leave a gap", { ...append(2, { term: 3, ...first }), entries: entriesOf([3, 3], 2) }],
  ["terms go down", append(2, { term: 3, ...first, terms: [3, 2] })],
  ["an entry is of a later term than the message", append(2, { term: 3, ...first, terms: [4] })],
  ["an entry is older than the one before", append(2, { term: 3, prevIndex: 1, prevTerm: 2, terms: [1] })],
  ["an entry is of no term", append(2, { term: 3, ...first, terms: [0] })],
  ["an entry is of a broken term", append(2, { term: 3, ...first, terms: [1.5, 2] })],
  ["the entry before the first has a term", append(2, { term: 3, prevIndex: 0, prevTerm: 1 })],
  ["an entry before has none", append(2, { term: 3, prevIndex: 1, prevTerm: 0 })],
  ["an entry lies above the highest index", append(2, { term: 3, prevIndex: INDEX_MAX, prevTerm: 3, terms: [3] })],
  ["the term is 0", heartbeat(2, { term: 0 })],
  ["the term is no integer", append(2, { term: 2.5, ...first })],
  ["the term is above the highest one", heartbeat(2, { term: TERM_MAX + 1 })],
  ["the term is no safe integer", voteRequest(2, { term: 2 ** 53, lastIndex: 0, lastTerm: 0 })],
  ["the commit index is above the highest index", heartbeat(2, { term: 3, commit: INDEX_MAX + 1 })],
  ["the commit index is negative", heartbeat(2, { term: 3, commit: -1 })],
  ["a candidate's log is of a later term than itself", voteRequest(2, { term: 3, lastIndex: 1, lastTerm: 3 })],
  ["a hint lies above what was rejected", refuse(2, { term: 3, index: 1, hintIndex: 2, hintTerm: 1 })],
  ["a hint has a negative term", refuse(2, { term: 3, index: 1, hintIndex: 1, hintTerm: -1 })],
  ["a snapshot is of a later term than the message", install({ term: 3, index: 1, snapshotTerm: 4 })],
  ["a snapshot holds nothing", install({ term: 3, index: 0, snapshotTerm: 0 })],
  ["a snapshot has no voters", install({ term: 3, index: 5, snapshotTerm: 3, voters: [] })],
  ["a snapshot's voters are out of order", install({ term: 3, index: 5, snapshotTerm: 3, voters: [3, 1, 2] })],
  ["a snapshot names a voter twice", install({ term: 3, index: 5, snapshotTerm: 3, voters: [1, 1] })],
  ["a snapshot's learner is a voter", installIn({ ...votersOnly([1, 2, 3]), learners: [3] })],
  ["a snapshot's configuration is half a joint one", installIn({ ...votersOnly([1, 2, 3]), autoLeave: true })],
  ["an entry is no change of members, though it says so", { ...append(2, { term: 3, ...first }), entries: [noChange] }],
  ["it forwards nothing", { type: "forwardPropose", kind: "command", from: 2, to: 1, payloads: [] }],
  ["it forwards what is no change of members", { type: "forwardPropose", kind: "configuration", from: 2, to: 1, payloads: [noBytes] }],
  ["the priority of a candidate is negative", voteRequest(2, { term: 3, lastIndex: 0, lastTerm: 0, priority: -1 })],
  ["a pre-vote is for no term", preVoteRequest(2, { term: 0, lastIndex: 0, lastTerm: 0 })],
  ["a pre-vote is granted for no term", preVote(2, { term: 0 })],
  ["nobody is to take over", { type: "transferLeadership", from: 2, to: 1, term: 3, target: 0 }],
  ["a hand-over belongs to no term", { type: "timeoutNow", from: 2, to: 1, term: 0, isResigning: false }],
  ["a read is asked for under no number", { type: "readIndexRequest", from: 2, to: 1, requestId: -1 }],
  ["a read position is no integer", heartbeatAnswer(2, { term: 3, readPosition: 0.5 })],
  ["a read index is above the highest index", { type: "readIndexResponse", from: 2, to: 1, requestId: 1, index: INDEX_MAX + 1 }],
  ["the sender is nobody", heartbeat(0, { term: 3 })],
];

test.each(malformed)("a message is malformed when %s", (_, message) => {
  expectNoEffect(soloMember({ size: 3, term: 1 }), message, "malformed");
});

test.each([
  ["is for another member", { ...heartbeat(2, { term: 3 }), to: 5 }],
  ["claims to come from the receiver", heartbeat(1, { term: 3 })],
] as const)("a message is misaddressed when it %s", (_, message: PeerMessage) => {
  expectNoEffect(soloMember({ size: 3, term: 1 }), message, "misaddressed");
});

describe("at a follower", () => {
  const committed: SoloSetup = { size: 3, terms: [1, 2, 2, 2], term: 3, commit: 3 };
  test.each<readonly [string, PeerMessage]>([
    ["an append that follows another committed entry", append(2, { term: 3, prevIndex: 3, prevTerm: 1, terms: [3] })],
    ["an append that follows another entry below", append(2, { term: 3, prevIndex: 2, prevTerm: 1, terms: [3] })],
    ["an append with another committed entry", append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [2, 3] })],
    ["an append of a later leader that lacks a committed entry", append(2, { term: 9, prevIndex: 8, prevTerm: 1, terms: [9] })],
    ["a snapshot with another committed entry", install({ term: 3, index: 3, snapshotTerm: 3 })],
    ["a snapshot that lacks a committed entry", install({ term: 9, index: 20, snapshotTerm: 1 })],
  ])("%s conflicts with what is committed", (_, message) => {
    expectQuarantine(soloMember(committed), message, "conflicts_with_committed");
  });

  test("what lies below the compacted log is not known, and not refused", () => {
    const member = soloMember({ size: 3, term: 2 });
    const snapshot = { index: 5, term: 2, configuration: votersOnly([1, 2, 3]) };
    member.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 2, snapshot }, 7);
    drain(member);
    expect(member.core.step(append(2, { term: 2, prevIndex: 3, prevTerm: 2, terms: [2] }))).toBeNull();
    expect(member.core.step(append(2, { term: 2, prevIndex: 4, prevTerm: 1, terms: [1] }))).toBe("conflicts_with_committed");
  });

  test.each<readonly [string, PeerMessage]>([
    ["append", append(3, { term: 2, ...first })],
    ["heartbeat", heartbeat(3, { term: 2 })],
    ["snapshot", install({ term: 2, index: 5, snapshotTerm: 2 })],
  ])("the %s of a second leader of the term has no effect", (_, message) => {
    const member = soloMember({ size: 3, term: 1 });
    exchange(member, heartbeat(message.from === 2 ? 3 : 2, { term: 2 }));
    expectNoEffect(member, message, "second_leader");
  });

  test("a commit index beyond the log takes the member out, but it knows who leads", () => {
    const member = soloMember({ size: 3, terms: [1] });
    expectQuarantine(member, heartbeat(2, { term: 2, commit: 2 }), "commit_beyond_log");
    expect(member.core.status()).toMatchObject({ term: 2, leader: 2, commit: 0, lastIndex: 1 });
  });
});

describe("at a leader", () => {
  test.each<readonly [string, PeerMessage, StepRejection]>([
    ["another leader of its term", heartbeat(2, { term: 2 }), "second_leader"],
    ["another leader's append in its term", append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2] }), "second_leader"],
    ["an acknowledgement beyond its log", accept(2, { term: 2, index: 3 }), "index_beyond_log"],
    ["a rejection beyond its log", refuse(2, { term: 2, index: 3, hintIndex: 0, hintTerm: 0 }), "index_beyond_log"],
    ["a read position that it did not give out", heartbeatAnswer(2, { term: 2, readPosition: 1 }), "read_beyond_issued"],
  ])("%s has no effect", (_, message, reason) => {
    const member = soloMember({ size: 3, terms: [1] });
    becomeLeader(member);
    expectNoEffect(member, message, reason);
    exchange(member, accept(2, { term: 2, index: 2 }));
    expect(member.core.status()).toMatchObject({ role: "leader", commit: 2 });
  });

  test("a follower that confirms reads in advance makes no stale read", () => {
    const member = soloMember({ size: 3, term: 1 });
    becomeLeader(member);
    exchange(member, accept(2, { term: 2, index: 1 }), heartbeatAnswer(3, { term: 2, readPosition: 5 }));
    member.core.readIndex(1);
    drain(member);
    expect(member.reads).toEqual([]);
    exchange(member, heartbeatAnswer(2, { term: 2, readPosition: 1 }));
    expect(member.reads).toEqual([{ requestId: 1, index: 1 }]);
  });
});

describe("terms", () => {
  test.each<readonly [string, PeerMessage]>([
    ["a vote request", voteRequest(2, { term: 2 + TERM_JUMP_MAX, lastIndex: 0, lastTerm: 0 })],
    ["a vote", vote(2, { term: 2 + TERM_JUMP_MAX })],
    ["a heartbeat", heartbeat(2, { term: 2 + TERM_JUMP_MAX })],
    ["an acknowledgement", accept(2, { term: 2 + TERM_JUMP_MAX, index: 0 })],
  ])("%s lifts them no further than elections can have led", (_, message) => {
    expectNoEffect(soloMember({ size: 3, term: 1 }), message, "term_jump");
  });

  test("a new member joins a cluster of any age", () => {
    const member = soloMember({ size: 3 });
    expect(member.core.step(heartbeat(2, { term: TERM_MAX }))).toBeNull();
    expect(member.core.term).toBe(TERM_MAX);
  });

  test.each([TERM_MAX, Number.MAX_SAFE_INTEGER])("a member in term %i starts no election and stays alive, also over a restart", (term) => {
    const member = soloMember({ size: 3, term });
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.campaign()).toBe("exhausted");
    member.crash(0, true);
    expect(member.core.status()).toMatchObject({ role: "follower", term });
  });

  test("a member whose log has no room for a leader's first entry starts no election", () => {
    const member = soloMember({ size: 3, term: 3 });
    const snapshot = { index: INDEX_MAX, term: 3, configuration: votersOnly([1, 2, 3]) };
    member.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 3, snapshot }, 7);
    drain(member);
    expect(member.core.campaign()).toBe("exhausted");
    expect(member.core.status()).toMatchObject({ role: "follower", term: 3, lastIndex: INDEX_MAX });
  });
});
