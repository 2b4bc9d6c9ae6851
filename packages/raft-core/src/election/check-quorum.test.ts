import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import { addVoter, changeOf } from "../testing/member-changes.ts";
import { RecordedEvents } from "../testing/recorded-events.ts";
import { acceptances, peerStatus, soloLeader } from "../testing/solo-leader.ts";
import { accept, append, drain, exchange, heartbeat, heartbeatAnswer, refuse, soloMember } from "../testing/solo-member.ts";
import { ELECTION_TICKS } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import type { Configuration, NodeId } from "../types.ts";

/** A leader that hears no majority for an election time-out steps down (dissertation 6.2). */

/** Time in which `answering` answer each heartbeat. */
function passTimeAt(leader: TestMember, ticks: number, answering: readonly NodeId[]): void {
  for (let tick = 0; tick < ticks && leader.core.role === "leader"; tick++) {
    leader.core.tick();
    drain(leader);
    exchange(leader, ...answering.map((from) => heartbeatAnswer(from, { term: leader.core.term })));
  }
}

test("a leader goes on while a majority answers, and steps down in the same term when none does", () => {
  const events = new RecordedEvents();
  const member = soloLeader({ size: 5, term: 1, options: { onEvent: events.sink } });
  passTimeAt(member, 10 * ELECTION_TICKS, [2, 3]);
  expect(member.core.role).toBe("leader");
  passTimeAt(member, 2 * ELECTION_TICKS, [4]);
  expect(member.core.status()).toMatchObject({ role: "follower", term: 2, vote: 1, leader: 0 });
  expect(events.ofType("quorumLost")).toEqual([{ type: "quorumLost", term: 2 }]);
});

const staleRefusal = { term: 1, index: 0, hintIndex: 0, hintTerm: 0 };

test("one answer of any kind within an election time-out is enough", () => {
  const member = soloLeader({ size: 3 });
  for (const answer of [heartbeatAnswer(2, { term: 1 }), accept(2, { term: 1, index: 1 }), refuse(2, staleRefusal)]) {
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.role).toBe("leader");
    exchange(member, answer);
  }
});

test("a leader that steps down sends no heartbeat with it", () => {
  const member = soloLeader({ size: 3 });
  for (let tick = 1; tick < 2 * ELECTION_TICKS; tick++) member.core.tick();
  drain(member);
  member.core.tick();
  expect(member.core.role).toBe("follower");
  expect(drain(member)).toEqual([]);
});

test("a single voter needs nobody, and without the check a leader never steps down", () => {
  const alone = soloLeader({ size: 1 });
  const unchecked = soloLeader({ size: 3, options: { checkQuorum: false } });
  for (const member of [alone, unchecked]) {
    passTimeAt(member, 5 * ELECTION_TICKS, []);
    expect(member.core.role).toBe("leader");
  }
});

test("learners are heard, but are no majority", () => {
  const member = soloLeader({ size: 0, configuration: { ...votersOnly([1, 2, 3]), learners: [4, 5, 6] } });
  passTimeAt(member, 2 * ELECTION_TICKS, [4, 5, 6]);
  expect(member.core.role).toBe("follower");
});

test.each([
  { answering: [2], goesOn: false },
  { answering: [4], goesOn: false },
  { answering: [2, 4], goesOn: true },
])("in a joint configuration both halves must be heard: answers of $answering keep the leader: $goesOn", ({ answering, goesOn }) => {
  const configuration: Configuration = { ...votersOnly([1, 4, 5]), outgoing: [1, 2, 3] };
  const member = soloLeader({ size: 0, configuration });
  passTimeAt(member, 3 * ELECTION_TICKS, answering);
  expect(member.core.role === "leader").toBe(goesOn);
});

describe("a new member", () => {
  test("counts as heard once, so that the leader does not step down for adding it", () => {
    const member = soloLeader({ size: 2 });
    passTimeAt(member, ELECTION_TICKS, [2]);
    member.core.proposeChange(changeOf(addVoter(3)));
    drain(member);
    exchange(member, ...acceptances(member));
    expect(peerStatus(member, 3)).toMatchObject({ isActive: true, state: "probe", match: 0 });
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(member.core.role).toBe("leader");
    expect(peerStatus(member, 3).isActive).toBe(false);
    passTimeAt(member, ELECTION_TICKS, []);
    expect(member.core.role).toBe("follower");
  });
});

test("a voter that does not know that it is one does not campaign, and is led as any other", () => {
  const member = soloMember({ size: 0, configuration: votersOnly([2, 3]), terms: [1] });
  for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
  const answers = exchange(member, append(2, { term: 1, prevIndex: 1, prevTerm: 1, terms: [1], commit: 1 }), heartbeat(2, { term: 1 }));
  expect(answers).toMatchObject([{ type: "heartbeatResponse" }, { type: "appendEntriesResponse", index: 2, rejected: false }]);
  expect(member.core.status()).toMatchObject({ role: "follower", leader: 2, term: 1, commit: 1 });
});
