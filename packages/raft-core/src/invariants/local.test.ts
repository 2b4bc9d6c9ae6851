import { describe, expect, test } from "vitest";
import { resolveOptions } from "../core-options.ts";
import { CoreState } from "../core-state.ts";
import { handleVoteResponse } from "../election/voting.ts";
import type { Leadership } from "../leader/leadership.ts";
import { votersOnly } from "../membership/configuration.ts";
import { becomeCandidate } from "../roles.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { entriesOf } from "../testing/test-cluster.ts";
import { checkLocalInvariants, LocalSnapshot } from "./local.ts";

/** Member 1 of three, in term 3 with two entries, the first of them committed. */
function memberState(): CoreState {
  const options = resolveOptions({ id: 1, electionTicks: 10, heartbeatTicks: 1 });
  const start = {
    hardState: { term: 3, vote: 2, commit: 1 },
    snapshot: null,
    entries: entriesOf([1, 3]),
    configuration: votersOnly([1, 2, 3]),
  };
  return new CoreState(options, start, new SeededRandom(1));
}

/** The same member after it won term 4, and its leadership. */
function leaderState(): { readonly state: CoreState; readonly leadership: Leadership } {
  const state = memberState();
  becomeCandidate(state, { asksLater: false });
  for (const from of [1, 2]) {
    if (state.role.kind !== "candidate") throw new Error("One vote is not enough");
    handleVoteResponse(state, state.role, { type: "requestVoteResponse", from, to: 1, term: 4, granted: true });
  }
  if (state.role.kind !== "leader") throw new Error("Two votes are enough");
  return { state, leadership: state.role };
}

/** Looks at the member, lets something happen to it and looks again. */
function checkAfter(state: CoreState, happen: () => void): () => void {
  const before = new LocalSnapshot();
  checkLocalInvariants(state, before);
  before.take(state);
  happen();
  return () => checkLocalInvariants(state, before);
}

describe("A member stops", () => {
  test.each<[string, (state: CoreState) => void]>([
    ["The term never goes down", (state) => void (state.term = 2)],
    ["A vote stands as long as its term", (state) => void (state.vote = 3)],
    ["Only a joint configuration is left by itself", (state) => void (state.configuration = { ...state.configuration, autoLeave: true })],
    ["No entry is of a later term than the member's", (state) => state.log.merge(entriesOf([9], 3))],
  ])("where this no longer holds: %s", (sentence, spoil) => {
    const state = memberState();
    expect(checkAfter(state, () => spoil(state))).toThrow(sentence);
  });

  test("where a candidate is being restored", () => {
    const state = memberState();
    state.log.restore({ index: 5, term: 3, configuration: state.configuration });
    expect(checkAfter(state, () => becomeCandidate(state, { asksLater: false }))).toThrow("A member that is being restored follows");
  });
});

describe("A leader stops", () => {
  test.each<[string, (state: CoreState, leadership: Leadership) => void]>([
    ["A leader voted for itself and knows that it leads", (state) => void (state.leader = 0)],
    ["Counting commits entries of the own term only", (state) => void state.log.commitTo(2)],
    ["A leader counts what is on its own disk", (_, { peers }) => void (peers[0]?.accepted(3) ?? true)],
    ["The next entry to send lies between the verified ones and the end", (_, { peers }) => void peers[1]?.accepted(4)],
    ["A leader is a voter", (_, { peers }) => peers.forEach((peer) => void (peer.isLearner = true))],
  ])("where this no longer holds: %s", (sentence, spoil) => {
    const { state, leadership } = leaderState();
    expect(checkAfter(state, () => spoil(state, leadership))).toThrow(sentence);
  });

  test("where quota is missing although everything is applied", () => {
    const { state, leadership } = leaderState();
    state.log.handOutUnstable();
    state.log.stableTo(3, 4);
    state.log.commitTo(3);
    state.log.handOutCommitted(100, false);
    state.log.applyTo(3);
    expect(checkAfter(state, () => void (leadership.uncommittedBytes = 1))).toThrow("The quota is whole again when everything is applied");
  });
});

test("A member that goes on as it should is left alone", () => {
  const { state } = leaderState();
  expect(checkAfter(state, () => state.log.handOutUnstable())).not.toThrow();
});
