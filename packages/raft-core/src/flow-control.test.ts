import { describe, expect, test } from "vitest";
import type { AppendEntries, PeerMessage } from "./messages.ts";
import type { CoreOptions } from "./options.ts";
import { peerStatus } from "./testing/solo-leader.ts";
import { accept, becomeLeader, drain, exchange, heartbeat, heartbeatAnswer, ofType, refuse, soloMember } from "./testing/solo-member.ts";
import { payload, TestCluster } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";

/** How much may be on its way to one follower, and how much may wait to be committed. */

/** A leader of term 1 whose follower 2 is in replicate with everything so far acknowledged; follower 3 never answers. */
function replicatingLeader(options: Partial<CoreOptions>): TestMember {
  const member = soloMember({ size: 3, options });
  becomeLeader(member);
  exchange(member, accept(2, { term: 1, index: 1 }));
  return member;
}

function appendsTo2(messages: readonly PeerMessage[]): readonly AppendEntries[] {
  return ofType(messages, "appendEntries").filter((message) => message.to === 2);
}

test("the window fills with as many appends as allowed, and then proposals send nothing", () => {
  const member = replicatingLeader({ inflightMessagesMax: 3 });
  const sent = [1, 2, 3, 4, 5].map(() => {
    member.core.propose([payload("x")]);
    return appendsTo2(drain(member)).length;
  });
  expect(sent).toEqual([1, 1, 1, 0, 0]);
});

test("an acknowledgement frees everything up to it, and exactly that many appends follow", () => {
  const member = replicatingLeader({ inflightMessagesMax: 3, appendBytesMax: 1 });
  for (let i = 0; i < 9; i++) member.core.propose([payload("x")]);
  drain(member);
  const follow = appendsTo2(exchange(member, accept(2, { term: 1, index: 3 }))).filter((message) => message.entries.length > 0);
  expect(follow.map((message) => message.entries[0]?.index)).toEqual([5, 6]);
  expect(appendsTo2(exchange(member, accept(2, { term: 1, index: 2 })))).toEqual([]);
});

test("each heartbeat response lets one empty append through a full window", () => {
  const member = replicatingLeader({ inflightMessagesMax: 2 });
  for (let i = 0; i < 4; i++) member.core.propose([payload("x")]);
  drain(member);
  for (let round = 0; round < 3; round++) {
    const sent = appendsTo2(exchange(member, heartbeatAnswer(2, { term: 1 })));
    expect(sent.map((message) => [message.prevIndex, message.entries.length])).toEqual([[3, 0]]);
    member.core.propose([payload("y")]);
    expect(appendsTo2(drain(member))).toEqual([]);
  }
});

test("the window is also limited by bytes, which one message may exceed", () => {
  const member = replicatingLeader({ inflightMessagesMax: 3, appendBytesMax: 2048, inflightBytesMax: 9000 });
  member.core.reportUnreachable(2);
  const sizes = [1000, ...Array(10).fill(1000), ...Array(5).fill(5000), ...Array(8).fill(1000)];
  for (const size of sizes) member.core.propose([new Uint8Array(size)]);
  drain(member);
  const perAnswer: number[] = [];
  for (let acknowledged = 2; acknowledged < member.core.lastIndex; ) {
    const sent = appendsTo2(exchange(member, accept(2, { term: 1, index: acknowledged }))).filter((message) => message.entries.length > 0);
    perAnswer.push(sent.length);
    acknowledged = sent.at(-1)?.entries.at(-1)?.index ?? Number.POSITIVE_INFINITY;
  }
  expect(perAnswer).toEqual([3, 3, 2, 2, 3, 1]);
});

test("a probing follower gets one message for many proposals", () => {
  const member = soloMember({ size: 3 });
  const first = becomeLeader(member, 2);
  for (let i = 0; i < 5; i++) member.core.propose([payload("x")]);
  expect(appendsTo2(first)).toHaveLength(1);
  expect(appendsTo2(drain(member))).toEqual([]);
});

test("a heartbeat response lets a probe be repeated, the heartbeat itself does not", () => {
  const member = soloMember({ size: 3 });
  becomeLeader(member, 2);
  member.core.tick();
  expect(appendsTo2(drain(member))).toEqual([]);
  expect(appendsTo2(exchange(member, heartbeatAnswer(2, { term: 1 })))).toMatchObject([{ prevIndex: 0, entries: [{ index: 1 }] }]);
  expect(appendsTo2(exchange(member, heartbeatAnswer(3, { term: 1 })))).toEqual([]);
});

test("a rejection of the optimistic stream goes back to what was verified, once", () => {
  const member = replicatingLeader({});
  for (let i = 0; i < 3; i++) member.core.propose([payload("x")]);
  drain(member);
  const again = exchange(member, refuse(2, { term: 1, index: 3, hintIndex: 1, hintTerm: 1 }));
  expect(appendsTo2(again)).toMatchObject([{ prevIndex: 1, entries: [{ index: 2 }, { index: 3 }, { index: 4 }] }]);
  expect(appendsTo2(exchange(member, refuse(2, { term: 1, index: 2, hintIndex: 1, hintTerm: 1 })))).toEqual([]);
});

test("the log of a leader without a quorum stays bounded, and everything commits after healing", () => {
  const cluster = new TestCluster({ size: 3, options: { uncommittedBytesMax: 100 } });
  cluster.elect(1);
  cluster.isolate(1);
  for (let i = 0; i < 50; i++) cluster.propose(1, "ten bytes.");
  expect(cluster.member(1).core.lastIndex).toBe(11);
  cluster.heal();
  cluster.tick(1);
  cluster.settle();
  expect(cluster.members.map((member) => member.core.commit)).toEqual([11, 11, 11]);
  expect(cluster.member(1).core.propose([payload("more")]).outcome).toBe("accepted");
});

test("a follower that lost a full window and whose entries are compacted is sent a snapshot", () => {
  const cluster = new TestCluster({ size: 3, options: { inflightMessagesMax: 2 } });
  cluster.elect(1);
  cluster.passes = (message) => message.to !== 3 || message.type === "heartbeat";
  for (let i = 0; i < 10; i++) cluster.propose(1, "entry");
  cluster.member(1).takeSnapshot(0);
  cluster.heal();
  cluster.tick(1);
  cluster.settle();
  expect(cluster.member(3).core.commit).toBe(11);
  expect(cluster.member(3).state).toBe(cluster.member(1).state);
  expect(cluster.sent.filter((message) => message.type === "installSnapshot")).toHaveLength(1);
});

test("a follower that has to answer first gets new entries after its own answer, not after another's", () => {
  const member = soloMember({ size: 3 });
  becomeLeader(member, 2);
  member.core.propose([payload("x")]);
  const afterOther = exchange(member, accept(3, { term: 1, index: 1 }));
  expect(appendsTo2(afterOther)).toEqual([]);
  const afterOwn = appendsTo2(exchange(member, accept(2, { term: 1, index: 1 })));
  expect(afterOwn.flatMap((message) => message.entries.map((entry) => entry.index))).toEqual([2]);
});

test("a probe without entries does not make the leader wait: the next proposal is sent at once", () => {
  const member = replicatingLeader({});
  member.core.reportUnreachable(2);
  expect(appendsTo2(exchange(member, heartbeatAnswer(2, { term: 1 })))).toMatchObject([{ prevIndex: 1, entries: [] }]);
  expect(peerStatus(member, 2)).toMatchObject({ state: "probe", isPaused: false });
  member.core.propose([payload("x")]);
  expect(appendsTo2(drain(member))).toMatchObject([{ prevIndex: 1, entries: [{ index: 2 }] }]);
  expect(peerStatus(member, 2).isPaused).toBe(true);
});

describe("the quota of what is not committed", () => {
  test("drops what is beyond it, but nothing that is empty, and nothing while all is committed", () => {
    const member = replicatingLeader({ uncommittedBytesMax: 100 });
    expect(member.core.propose([new Uint8Array(500)]).outcome).toBe("accepted");
    expect(member.core.propose([new Uint8Array(1)])).toEqual({ outcome: "dropped", reason: "quota" });
    expect(member.core.propose([new Uint8Array(0)]).outcome).toBe("accepted");
    expect(member.core.status().uncommittedBytes).toBe(500);
    drain(member);
    exchange(member, accept(2, { term: 1, index: 3 }));
    expect(member.core.status().uncommittedBytes).toBe(0);
  });

  test("takes all payloads of a proposal or none", () => {
    const member = replicatingLeader({ uncommittedBytesMax: 100 });
    member.core.propose([new Uint8Array(60)]);
    expect(member.core.propose([new Uint8Array(30), new Uint8Array(30)])).toEqual({ outcome: "dropped", reason: "quota" });
    expect(member.core.lastIndex).toBe(2);
    expect(member.core.propose([new Uint8Array(30), new Uint8Array(10)]).outcome).toBe("accepted");
  });

  test("counts what is forwarded as well, and begins anew with each leadership", () => {
    const member = replicatingLeader({ uncommittedBytesMax: 100 });
    const forwarded = { type: "forwardPropose", kind: "command", from: 3, to: 1, payloads: [new Uint8Array(80)] } as const;
    exchange(member, forwarded, forwarded);
    expect(member.core.status()).toMatchObject({ uncommittedBytes: 80, lastIndex: 2 });
    exchange(member, heartbeat(2, { term: 2 }));
    becomeLeader(member);
    expect(member.core.status()).toMatchObject({ uncommittedBytes: 0, lastIndex: 3 });
    exchange(member, accept(2, { term: 3, index: 3 }));
    expect([member.stateIndex, member.core.status().uncommittedBytes]).toEqual([3, 0]);
  });
});

describe("an adaptive window", () => {
  const options = { adaptiveWindow: true, inflightMessagesMax: 64, appendBytesMax: 1000, inflightBytesMax: 100_000 };

  /** Appends with entries that were on their way to follower 2 at most. */
  function widest(member: TestMember, entryBytes: number): number {
    let most = 0;
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < 20; i++) member.core.propose([new Uint8Array(entryBytes)]);
      drain(member);
      most = Math.max(most, peerStatus(member, 2).inflightMessages);
      const { match, next } = peerStatus(member, 2);
      exchange(member, accept(2, { term: 1, index: match + Math.ceil((next - 1 - match) / 2) }));
    }
    return most;
  }

  test("grows while full appends wait for room in it", () => {
    expect(widest(replicatingLeader(options), 1000)).toBeGreaterThan(32);
  });

  test("stays small while appends are small", () => {
    expect(widest(replicatingLeader(options), 0)).toBeLessThanOrEqual(4);
  });

  test("looks only at what the log still holds", () => {
    const member = replicatingLeader({ ...options, inflightMessagesMax: 2 });
    for (let i = 0; i < 4; i++) member.core.propose([new Uint8Array(1000)]);
    drain(member);
    exchange(member, accept(3, { term: 1, index: 5 }));
    member.takeSnapshot(0);
    expect(member.core.status().firstIndex).toBe(6);
    const sent = exchange(member, accept(2, { term: 1, index: 2 }));
    expect(sent).toMatchObject([{ type: "installSnapshot", to: 2 }]);
  });

  test("is as wide as allowed from the beginning if it is not asked for", () => {
    const member = replicatingLeader({ ...options, adaptiveWindow: false });
    for (let i = 0; i < 100; i++) member.core.propose([new Uint8Array(1000)]);
    drain(member);
    expect(peerStatus(member, 2).inflightMessages).toBe(64);
  });
});
