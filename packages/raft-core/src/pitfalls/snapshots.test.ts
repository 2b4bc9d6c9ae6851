import { describe, expect, test } from "vitest";
import { EMPTY_CONFIGURATION, votersOnly } from "../membership/configuration.ts";
import type { InstallSnapshot } from "../messages.ts";
import { addLearner, addVoter, changeOf, explicitChangeOf, remove } from "../testing/member-changes.ts";
import { acceptances, peerStatus, soloLeader } from "../testing/solo-leader.ts";
import { accept, append, drain, exchange, heartbeatAnswer, ofType, refuse, soloMember, termsOf } from "../testing/solo-member.ts";
import { TestCluster } from "../testing/test-cluster.ts";

/** What other implementations got wrong about snapshots and compaction, as reported in their issue trackers. */

const configuration = votersOnly([1, 2, 3]);

function install(index: number, term: number): InstallSnapshot {
  return { type: "installSnapshot", from: 2, to: 1, term: 2, snapshot: { index, term, configuration } };
}

test("P26: a snapshot whose last entry has another term than the own one replaces the whole log", () => {
  const member = soloMember({ size: 3, terms: [1, 1, 1, 1, 1] });
  member.receiveSnapshot(install(3, 2), 77);
  drain(member);
  expect(member.core.status()).toMatchObject({ commit: 3, applied: 3, firstIndex: 4, lastIndex: 3 });
  expect([member.disk.entries, member.state]).toEqual([[], 77]);
});

describe("P27: a snapshot or its answer that is lost leaves nobody stuck", () => {
  test("P27: an answer that connects to the log ends it, whatever snapshot it came from", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, "a", "b");
    cluster.member(1).takeSnapshot(0);
    cluster.passes = ({ type, to }) => type !== "installSnapshot" || to !== 3;
    cluster.tick(1);
    cluster.settle();
    expect(peerStatus(cluster.member(1), 3).state).toBe("snapshot");
    exchange(cluster.member(1), accept(3, { term: 1, index: 3 }));
    expect(peerStatus(cluster.member(1), 3)).toMatchObject({ state: "replicate", match: 3 });
  });

  test.each([true, false])("P27: a report (%s) ends it", (stored) => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, "a", "b");
    cluster.member(1).takeSnapshot(0);
    cluster.passes = ({ type }) => type !== "installSnapshot";
    cluster.tick(1);
    cluster.settle();
    cluster.member(1).core.reportSnapshot(3, stored);
    expect(peerStatus(cluster.member(1), 3)).toMatchObject({ state: "probe", isPaused: true });
    cluster.heal();
    for (let round = 0; round < 2; round++) {
      cluster.tick(1);
      cluster.settle();
    }
    expect(cluster.member(3).core.commit).toBe(3);
  });

  test("P27: a report for a peer that is not being sent one says nothing", () => {
    const member = soloLeader({ size: 3 });
    const before = peerStatus(member, 2);
    member.core.reportSnapshot(2, true);
    expect(peerStatus(member, 2)).toEqual(before);
  });
});

describe("P28: a snapshot names the members as of its own index", () => {
  test("P28: also if the change is the last entry it holds, and not before", () => {
    const member = soloLeader({ size: 3 });
    member.takeSnapshot(0);
    expect(member.snapshot?.meta.configuration).toEqual(configuration);
    member.core.proposeChange(changeOf(addVoter(4)));
    drain(member);
    exchange(member, ...acceptances(member));
    member.takeSnapshot(0);
    expect(member.snapshot?.meta).toMatchObject({ index: 2, configuration: votersOnly([1, 2, 3, 4]) });
  });

  test("P28: also a joint one, in which the receiver goes on", () => {
    const leader = soloLeader({ size: 3 });
    leader.core.proposeChange(explicitChangeOf(addVoter(4), remove(3), addLearner(2)));
    drain(leader);
    exchange(leader, ...acceptances(leader));
    leader.takeSnapshot(0);
    const joint = { ...EMPTY_CONFIGURATION, voters: [1, 4], outgoing: [1, 2, 3], learnersNext: [2] };
    expect(leader.snapshot?.meta.configuration).toEqual(joint);
    const newcomer = soloMember({ size: 0, configuration: EMPTY_CONFIGURATION });
    const meta = { index: 2, term: 1, configuration: joint };
    newcomer.receiveSnapshot({ type: "installSnapshot", from: 4, to: 1, term: 1, snapshot: meta }, 77);
    drain(newcomer);
    newcomer.crash(0, true);
    expect(newcomer.core.configuration).toEqual(joint);
    newcomer.core.campaign();
    expect(drain(newcomer).map((message) => message.to)).toEqual([2, 3, 4]);
  });
});

describe("P29: what a member has is not taken back", () => {
  test("P29: by a snapshot older than its commit index", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 2 });
    expect(exchange(member, install(1, 1))).toMatchObject([{ type: "appendEntriesResponse", index: 2, rejected: false }]);
    expect(member.core.status()).toMatchObject({ firstIndex: 1, lastIndex: 3, commit: 2 });
  });

  test("P29: by a snapshot that it holds already: only the commit index moves", () => {
    const member = soloMember({ size: 3, terms: [1, 1, 1, 1] });
    member.core.step(install(3, 1));
    expect(member.collect()?.append).toMatchObject({ snapshot: null, hardState: { commit: 3 }, messages: [{ index: 3 }] });
    drain(member);
    expect(member.core.status()).toMatchObject({ commit: 3, applied: 3, lastIndex: 4 });
  });

  test("P29: by an append from before its own snapshot, which is answered by the commit index and not rejected for ever", () => {
    const member = soloMember({ size: 3 });
    member.receiveSnapshot(install(5, 2), 77);
    drain(member);
    const answers = exchange(member, append(2, { term: 2, prevIndex: 2, prevTerm: 1, terms: [1, 1] }));
    expect(answers).toMatchObject([{ index: 5, rejected: false }]);
  });
});

describe("P30: compaction", () => {
  test("P30: of what no snapshot covers is refused", () => {
    const member = soloLeader({ size: 3, terms: [1, 1] });
    expect(member.core.compact(1)).toBe("not_in_snapshot");
    member.takeSnapshot(5);
    expect([member.core.compact(4), member.core.compact(3), member.core.compact(2)]).toEqual(["not_in_snapshot", "compacted", "compacted"]);
    expect(member.core.status().firstIndex).toBe(4);
  });

  test("P30: of what was never applied is a broken driver", () => {
    const member = soloLeader({ size: 3, terms: [1, 1] });
    expect(() => member.core.snapshotSaved({ index: 9, term: 2, configuration })).toThrow("A snapshot holds applied entries only");
    expect(() => member.core.snapshotSaved({ index: 2, term: 9, configuration })).toThrow("A snapshot has the term of its last entry");
  });

  test("P30: under a running probe turns it into a snapshot", () => {
    const member = soloLeader({ size: 3, terms: [1, 1, 1] });
    member.core.reportUnreachable(3);
    member.core.propose([new Uint8Array(1)]);
    drain(member);
    exchange(member, accept(2, { term: 2, index: 5 }));
    member.takeSnapshot(0);
    const sent = exchange(member, refuse(3, { term: 2, index: 4, hintIndex: 1, hintTerm: 1 }), heartbeatAnswer(3, { term: 2 }));
    expect(peerStatus(member, 3)).toMatchObject({ match: 4, state: "snapshot", pendingSnapshot: 5 });
    expect(ofType(sent, "installSnapshot")).toMatchObject([{ to: 3, snapshot: { index: 5 } }]);
  });
});

test("P31: the first append after a snapshot commits no more than it verified", () => {
  const member = soloMember({ size: 3 });
  member.receiveSnapshot(install(5, 2), 77);
  drain(member);
  exchange(member, append(2, { term: 2, prevIndex: 5, prevTerm: 2, terms: [2], commit: 50 }));
  expect(member.core.commit).toBe(6);
  expect(termsOf(member.applied)).toEqual([2]);
});
