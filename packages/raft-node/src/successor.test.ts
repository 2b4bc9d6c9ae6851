import { type CoreStatus, type PeerStatus, votersOnly } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { successorOf } from "./successor.ts";

const LEADER = 1;

function peer(id: number, facts: Partial<PeerStatus> = {}): PeerStatus {
  return {
    id,
    state: "replicate",
    match: 10,
    next: 11,
    isLearner: false,
    isPaused: false,
    pendingSnapshot: 0,
    isActive: true,
    isDistrusted: false,
    isUnderRepair: false,
    inflightMessages: 0,
    inflightBytes: 0,
    isInflightFull: false,
    ...facts,
  };
}

/** Of a leader with these peers; all of them vote but the learners. */
function statusWith(...peers: readonly PeerStatus[]): CoreStatus {
  const voters = peers.filter(({ isLearner }) => !isLearner).map(({ id }) => id);
  return {
    id: LEADER,
    role: "leader",
    term: 2,
    vote: LEADER,
    leader: LEADER,
    commit: 10,
    applied: 10,
    firstIndex: 1,
    lastIndex: 10,
    durableIndex: 10,
    configuration: votersOnly([LEADER, ...voters]),
    peers: [peer(LEADER), ...peers],
    uncommittedBytes: 0,
    waitingReads: 0,
    transferTarget: 0,
    suspectsLeader: false,
    quarantine: null,
    repair: null,
  };
}

test("the one that lacks the fewest entries takes over", () => {
  expect(successorOf(statusWith(peer(2, { match: 8 }), peer(3, { match: 10 }), peer(4, { match: 9 })))).toBe(3);
});

test("one that was heard comes before one that has more", () => {
  expect(successorOf(statusWith(peer(2, { match: 10, isActive: false }), peer(3, { match: 7 })))).toBe(3);
});

test("one that follows comes before one that is being probed", () => {
  expect(successorOf(statusWith(peer(2, { match: 10, state: "probe" }), peer(3, { match: 7 })))).toBe(3);
});

test("right after a check of the quorum nobody was heard, and one that follows will do", () => {
  expect(successorOf(statusWith(peer(2, { isActive: false, state: "probe" }), peer(3, { isActive: false })))).toBe(3);
});

test.each([
  ["is alone", []],
  ["has only learners", [peer(2, { isLearner: true })]],
  ["lost the others", [peer(2, { state: "probe", isActive: false })]],
  ["has to send the others a snapshot", [peer(2, { state: "snapshot" })]],
  ["knows that the others lost their data", [peer(2, { isDistrusted: true })]],
])("a leader that %s has no successor", (_what, peers) => {
  expect(successorOf(statusWith(...peers))).toBeNull();
});

test("one that was tried is not tried again", () => {
  const status = statusWith(peer(2), peer(3, { match: 5 }));
  expect([successorOf(status, new Set([2])), successorOf(status, new Set([2, 3]))]).toEqual([3, null]);
});

test("one that is on its way out of the configuration is none", () => {
  const status = statusWith(peer(2), peer(3, { match: 5 }));
  expect(successorOf({ ...status, configuration: { ...status.configuration, voters: [1, 3], outgoing: [1, 2] } })).toBe(3);
});

test("one that lost entries does not take over before it has them again", () => {
  expect(successorOf(statusWith(peer(2, { isUnderRepair: true }), peer(3, { match: 7 })))).toBe(3);
  expect(successorOf(statusWith(peer(2, { isUnderRepair: true })))).toBe(null);
});
