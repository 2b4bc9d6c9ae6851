import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import { RaftCore } from "../raft-core.ts";
import { addVoter, changeOf, remove } from "../testing/member-changes.ts";
import { SeededRandom } from "../testing/seeded-random.ts";
import { acceptances, soloLeader } from "../testing/solo-leader.ts";
import { append, becomeLeader, drain, exchange, heartbeat, soloMember, termsOf, voteRequest } from "../testing/solo-member.ts";
import { ELECTION_TICKS, entriesOf, payload } from "../testing/test-cluster.ts";
import type { CoreStart } from "../types.ts";

/** What other implementations got wrong about disks, crashes and restarts, as reported in their issue trackers. */

const configuration = votersOnly([1, 2, 3]);

function start(differences: Partial<CoreStart>): RaftCore {
  const healthy: CoreStart = { hardState: { term: 3, vote: 0, commit: 0 }, snapshot: null, entries: [], configuration };
  return new RaftCore({ id: 1, electionTicks: 10, heartbeatTicks: 1 }, { ...healthy, ...differences }, new SeededRandom(1));
}

describe("P21: a crash between writes leaves a start that holds together", () => {
  test.each([0, 1, 2, 3])("P21: with %i of three jobs on the disk, and more or less of the next one", (jobs) => {
    for (const torn of ["nothing", "vote"] as const) {
      const member = soloMember({ size: 3, terms: [1, 1] });
      member.core.step(append(2, { term: 2, prevIndex: 2, prevTerm: 1, terms: [2, 2], commit: 3 }));
      member.collect();
      member.core.step(append(2, { term: 2, prevIndex: 4, prevTerm: 2, terms: [2], commit: 5 }));
      member.collect();
      member.core.step(append(3, { term: 4, prevIndex: 5, prevTerm: 2, terms: [4], commit: 5 }));
      member.collect();
      member.crash(jobs, false, torn);
      const { term, commit, lastIndex } = member.core.status();
      const voted = torn === "vote" ? Math.min(jobs + 1, 3) : jobs;
      expect(member.disk.entries.every((entry) => entry.term <= term)).toBe(true);
      expect([term, commit, lastIndex]).toEqual([[1, 2, 2, 4][voted], [0, 3, 5, 5][jobs], [2, 4, 5, 6][jobs]]);
      expect(exchange(member, heartbeat(2, { term: 9 }))).toMatchObject([{ type: "heartbeatResponse", term: 9 }]);
    }
  });

  test.each([
    { commit: 9, expected: 3 },
    { commit: 0, expected: 0 },
    { commit: 2, expected: 2 },
  ])("P21: a stored commit index of $commit over a log of 3 is taken as $expected", ({ commit, expected }) => {
    expect(soloMember({ size: 3, terms: [1, 1, 1], commit }).core.commit).toBe(expected);
  });

  test("P21: a log that was kept behind the snapshot stays readable, and the commit index is at least the snapshot's", () => {
    const snapshot = { index: 4, term: 2, configuration };
    const core = start({ hardState: { term: 3, vote: 0, commit: 1 }, snapshot, entries: entriesOf([1, 2, 2, 3], 2) });
    expect(core.status()).toMatchObject({ commit: 4, applied: 4, firstIndex: 3, lastIndex: 5 });
  });
});

test("P22: what a change of members relies on is committed on the disk no later than the next change is there", () => {
  const leader = soloLeader({ size: 3 });
  leader.core.proposeChange(changeOf(addVoter(4)));
  drain(leader);
  exchange(leader, ...acceptances(leader));
  expect(leader.core.configuration).toEqual(votersOnly([1, 2, 3, 4]));
  const firstChange = leader.core.commit;
  leader.core.proposeChange(changeOf(remove(2)));
  expect(leader.collect()?.append).toMatchObject({ mustSync: true, entries: [{ kind: "configuration" }] });
  leader.crash(1, false);
  expect(leader.core.commit).toBe(firstChange);
});

test("P22: a follower that takes the next change stores with it that the one before is committed", () => {
  const leader = soloLeader({ size: 3, term: 1 });
  leader.core.proposeChange(changeOf(addVoter(4)));
  const data = leader.core.entryAt(2)?.data ?? new Uint8Array(0);
  const follower = soloMember({ size: 3, term: 2 });
  const change = { index: 1, term: 2, kind: "configuration", data } as const;
  follower.core.step({ ...append(2, { term: 2, prevIndex: 0, prevTerm: 0 }), entries: [change] });
  follower.collect();
  follower.core.step({ ...append(2, { term: 2, prevIndex: 1, prevTerm: 2, commit: 1 }), entries: [{ ...change, index: 2 }] });
  expect(follower.collect()?.append).toMatchObject({ mustSync: true, hardState: { commit: 1 }, entries: [{ index: 2 }] });
});

/**
 * That a failed sync is final is the store's promise: "is not trusted again: nothing is acknowledged after it" in packages/log-store.
 * What the core is told of becomes a quarantine.
 */
test("P23: after a failed sync that the driver reports, nothing is promised any more", () => {
  const leader = soloLeader({ size: 3, term: 1 });
  leader.core.propose([payload("x")]);
  leader.core.quarantine({ kind: "storage", description: "a sync failed" });
  expect(leader.collect()).toMatchObject({ softState: { role: "follower", leader: 0 }, messages: [], append: null, apply: null });
  expect(exchange(leader, append(2, { term: 3, prevIndex: 1, prevTerm: 2, terms: [3] }))).toEqual([]);
  expect(exchange(leader, voteRequest(2, { term: 9, lastIndex: 9, lastTerm: 8 }))).toEqual([]);
  expect(leader.core.propose([payload("x")])).toEqual({ outcome: "dropped", reason: "quarantined" });
});

describe("P24: nothing is applied before it is durable here and at a quorum", () => {
  test("P24: a single voter's own entry", () => {
    const member = soloMember({ size: 1 });
    becomeLeader(member);
    member.core.propose([payload("x")]);
    expect(member.collect()?.apply).toBeNull();
    member.write();
    expect(member.collect()?.apply?.entries).toHaveLength(1);
  });

  test("P24: an entry that a quorum without this leader holds", () => {
    const member = soloLeader({ size: 3 });
    member.core.propose([payload("x")]);
    member.collect();
    for (const acceptance of acceptances(member)) member.core.step(acceptance);
    expect(member.core.commit).toBe(2);
    expect(member.collect()?.apply).toBeNull();
    member.write();
    expect(member.collect()?.apply?.entries).toHaveLength(1);
  });

  test("P24: an entry that comes to a follower together with its commit index", () => {
    const member = soloMember({ size: 3, term: 1 });
    member.core.step(append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1], commit: 1 }));
    expect(member.collect()?.apply).toBeNull();
    member.write();
    expect(termsOf(member.collect()?.apply?.entries ?? [])).toEqual([1]);
  });
});

/**
 * Damage is told from a torn tail by the store: "the change of any one bit" and the tests around it in packages/log-store/src/sweeps. A
 * start that contradicts itself stops the member, or keeps it from doing harm.
 */
describe("P25: a store that can't be right", () => {
  test.each<readonly [string, Partial<CoreStart>, string]>([
    ["a gap", { entries: [...entriesOf([1]), ...entriesOf([1], 3)] }, "Entries leave no gap"],
    ["terms that go down", { entries: entriesOf([2, 1]) }, "Terms in the log never decrease"],
    [
      "an entry of a term that the member has not seen",
      { entries: entriesOf([4]) },
      "No entry is of a later term than the member has seen",
    ],
    [
      "a log that begins after a gap behind the snapshot",
      { snapshot: { index: 2, term: 1, configuration }, entries: entriesOf([1], 4) },
      "The log begins at or before the entry after the applied one",
    ],
    ["a negative term", { hardState: { term: -1, vote: 0, commit: 0 } }, "The hard state has no negative numbers"],
  ])("P25: with %s makes no core", (_, differences, sentence) => {
    expect(() => start(differences)).toThrow(sentence);
  });

  test("P25: that the driver found damaged is only watched over", () => {
    const quarantine = { kind: "storage", description: "a checksum is wrong in segment 3" } as const;
    const core = start({ entries: entriesOf([1, 2]), quarantine });
    for (let tick = 0; tick < 3 * ELECTION_TICKS; tick++) core.tick();
    expect([core.role, core.term, core.quarantineEvidence, core.ready()]).toEqual(["follower", 3, quarantine, undefined]);
  });
});
