import { describe, expect, test } from "vitest";
import { votersOnly } from "./membership/configuration.ts";
import type { PeerMessage } from "./messages.ts";
import { RecordedEvents } from "./testing/recorded-events.ts";
import { EMPTY_HISTORY } from "./testing/shadow-log.ts";
import {
  accept,
  append,
  drain,
  exchange,
  heartbeat,
  ofType,
  preVoteRequest,
  type SoloSetup,
  soloMember,
  termsOf,
  vote,
  voteRequest,
} from "./testing/solo-member.ts";
import { ELECTION_TICKS, payload } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";

/** A member that lost entries which it had acknowledged takes part without a vote until it has them again. */

/** Number of its first start under repair. */
const ID = 1;

/** Member 1 of three, whose log was left with these terms. */
function damaged(setup: Partial<SoloSetup> = {}): TestMember {
  return soloMember({ size: 3, isDamaged: true, ...setup });
}

/** Its leader, member 2, sends everything up to `index` and names that as the target; nothing is durable yet. */
function sendAll(member: TestMember, { term, index }: { readonly term: number; readonly index: number }): void {
  const terms = Array.from({ length: index }, () => term);
  member.core.step(append(2, { term, prevIndex: 0, prevTerm: 0, terms }));
  member.core.step(heartbeat(2, { term, repair: { id: ID, index } }));
}

function repaired(): TestMember {
  const member = damaged();
  sendAll(member, { term: 1, index: 3 });
  drain(member);
  member.endRepair();
  return member;
}

describe("a member under repair gives no vote", () => {
  test.each<readonly [string, PeerMessage]>([
    ["a vote", voteRequest(2, { term: 5, lastIndex: 9, lastTerm: 4 })],
    ["a vote for a hand-over", voteRequest(2, { term: 5, lastIndex: 9, lastTerm: 4, isTransfer: true })],
    ["a vote in advance", preVoteRequest(2, { term: 5, lastIndex: 9, lastTerm: 4 })],
  ])("if it is asked for %s", (_, request) => {
    const events = new RecordedEvents();
    const member = damaged({ terms: [1], options: { onEvent: events.sink } });
    const answers = exchange(member, request);
    expect(answers).toMatchObject([{ to: 2, term: member.core.term, granted: false, repairId: ID }]);
    expect(member.core.status().vote).toBe(0);
    expect(events.ofType("voteWithheld")).toEqual([{ type: "voteWithheld", request, ownTerm: member.core.term }]);
  });

  test("also to whom it had voted for in that term", () => {
    const member = damaged({ terms: [1], term: 2, vote: 2 });
    const answers = exchange(member, voteRequest(2, { term: 2, lastIndex: 9, lastTerm: 1 }));
    expect(answers).toMatchObject([{ type: "requestVoteResponse", term: 2, granted: false }]);
    expect(member.core.status().vote).toBe(2);
  });
});

describe("a member under repair never stands for election", () => {
  test("whatever time passes", () => {
    const member = damaged({ terms: [1] });
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) member.core.tick();
    expect([member.core.role, member.core.term, drain(member)]).toEqual(["follower", 1, []]);
  });

  test("whoever asks it to, and says why not", () => {
    const events = new RecordedEvents();
    const member = damaged({ terms: [1], options: { onEvent: events.sink } });
    exchange(member, heartbeat(2, { term: 1 }));
    expect([member.core.campaign(), member.core.peerDown(2), member.core.leaderSilent()]).toEqual(Array(3).fill("under_repair"));
    exchange(member, { type: "timeoutNow", from: 2, to: 1, term: 1, isResigning: false });
    expect(events.ofType("campaignRefused").map(({ reason }) => reason)).toEqual(["under_repair", "under_repair"]);
    expect([member.core.role, member.core.status().suspectsLeader]).toEqual(["follower", false]);
  });

  test("and votes that were under way to it make it no leader", () => {
    const member = damaged({ terms: [1], term: 2, vote: 1 });
    exchange(member, vote(2, { term: 2 }), vote(3, { term: 2 }));
    expect(member.core.role).toBe("follower");
  });

  test("nor does unsafe recovery make it a group of its own", () => {
    expect(damaged({ terms: [1] }).core.recoverUnsafely(votersOnly([1]))).toBe("under_repair");
  });
});

describe("a member under repair follows as any other, and marks its answers", () => {
  const snapshot = { index: 9, term: 2, configuration: votersOnly([1, 2, 3]) };

  test.each<readonly [string, PeerMessage, Partial<PeerMessage>]>([
    ["entries", append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2] }), { type: "appendEntriesResponse", index: 2 }],
    ["entries that do not fit", append(2, { term: 2, prevIndex: 7, prevTerm: 2 }), { rejected: true, index: 7, hintIndex: 1, hintTerm: 1 }],
    ["a heartbeat", heartbeat(2, { term: 2 }), { type: "heartbeatResponse" }],
    ["a leader of an earlier term", heartbeat(2, { term: 1 }), { type: "appendEntriesResponse", term: 2, index: 0 }],
  ])("to %s", (_, message, answer) => {
    const member = damaged({ terms: [1], term: 2 });
    expect(exchange(member, message)).toMatchObject([{ ...answer, repairId: ID }]);
  });

  test("to a snapshot", () => {
    const member = damaged({ terms: [1] });
    member.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 2, snapshot }, EMPTY_HISTORY);
    expect(drain(member)).toMatchObject([{ type: "appendEntriesResponse", index: 9, repairId: ID }]);
  });

  test("and it passes proposals and reads on", () => {
    const member = damaged();
    exchange(member, heartbeat(2, { term: 1 }));
    expect(member.core.propose([payload("x")])).toEqual({ outcome: "forwarded", to: 2 });
    member.core.readIndex(1);
    expect(drain(member).map(({ type }) => type)).toEqual(["forwardPropose", "readIndexRequest"]);
  });

  test("with another number after each start", () => {
    const member = damaged();
    member.crash(0, true);
    expect(exchange(member, heartbeat(2, { term: 1 }))).toMatchObject([{ repairId: ID + 1 }]);
  });

  test("while a sound member's answers have no mark at all", () => {
    const member = soloMember({ size: 3 });
    const answers = exchange(member, heartbeat(2, { term: 1 }), append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1] }));
    expect(answers.filter((answer) => "repairId" in answer)).toEqual([]);
  });
});

describe("a member under repair commits only what this term's leader has verified", () => {
  test("although its disk says more", () => {
    const member = damaged({ terms: [1, 1, 1], commit: 3 });
    expect(member.core.commit).toBe(0);
  });

  test("although the leader still believes that it holds more, which is no contradiction", () => {
    const member = damaged({ terms: [1, 1] });
    expect(member.core.step(heartbeat(2, { term: 1, commit: 9 }))).toBeNull();
    expect([member.core.commit, member.core.quarantineEvidence]).toEqual([0, null]);
    exchange(member, append(2, { term: 1, prevIndex: 1, prevTerm: 1, commit: 9 }), heartbeat(2, { term: 1, commit: 9 }));
    expect(member.core.commit).toBe(1);
  });

  test("and a contradiction to that takes it out", () => {
    const member = damaged();
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1], commit: 2 }));
    expect(member.core.step(append(3, { term: 2, prevIndex: 0, prevTerm: 0, terms: [2] }))).toBe("conflicts_with_committed");
    expect(member.core.quarantineEvidence).toMatchObject({ kind: "conflicts_with_committed" });
    sendAll(member, { term: 2, index: 2 });
    expect(member.collect()?.isRepaired ?? false).toBe(false);
  });
});

describe("a repair is done", () => {
  test("when the durable log equals the leader's up to what that one named", () => {
    const member = damaged();
    sendAll(member, { term: 1, index: 3 });
    expect(member.core.status().repair).toEqual({ target: 3, verified: 3 });
    expect(member.collect()?.isRepaired).toBe(false);
    member.write();
    expect(member.collect()?.isRepaired).toBe(true);
  });

  test("not before a leader has named a target", () => {
    const member = damaged({ terms: [1, 1] });
    exchange(member, append(2, { term: 1, prevIndex: 2, prevTerm: 1 }));
    expect(member.core.status().repair).toEqual({ target: 0, verified: 2 });
    expect(member.isRepaired).toBe(false);
  });

  test("not by a log that is long enough and ends in what gave way long ago", () => {
    const member = damaged({ terms: [1, 1, 1, 1] });
    exchange(member, heartbeat(2, { term: 3, repair: { id: ID, index: 3 } }), append(2, { term: 3, prevIndex: 1, prevTerm: 1 }));
    expect([member.core.status().repair?.verified, member.isRepaired]).toEqual([1, false]);
    exchange(member, append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [2, 3] }));
    expect([termsOf(member.disk.entries), member.isRepaired]).toEqual([[1, 2, 3], true]);
  });

  test("by a snapshot only when that is durable", () => {
    const member = damaged();
    const snapshot = { index: 5, term: 1, configuration: votersOnly([1, 2, 3]) };
    member.core.step(heartbeat(2, { term: 1, repair: { id: ID, index: 5 } }));
    member.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 1, snapshot }, EMPTY_HISTORY);
    expect(member.collect()?.isRepaired).toBe(false);
    drain(member);
    expect(member.isRepaired).toBe(true);
  });

  test("after a crash in the middle only by what is verified again", () => {
    const member = damaged();
    sendAll(member, { term: 1, index: 3 });
    member.collect();
    member.crash(1, true);
    expect(member.core.status()).toMatchObject({ lastIndex: 3, repair: { target: 0, verified: 0 } });
    exchange(member, append(2, { term: 1, prevIndex: 3, prevTerm: 1 }), heartbeat(2, { term: 1, repair: { id: ID + 1, index: 3 } }));
    expect(member.isRepaired).toBe(true);
  });

  test("once, and stays done whoever leads when the driver has made it durable", () => {
    const member = damaged();
    sendAll(member, { term: 1, index: 3 });
    drain(member);
    exchange(member, append(3, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2] }));
    expect(member.collect()).toBeUndefined();
    member.endRepair();
    expect(member.core.isUnderRepair).toBe(false);
  });
});

describe("the end of a repair", () => {
  test("makes an ordinary member, which votes and does not mark its answers", () => {
    const member = repaired();
    expect(member.core.status().repair).toBeNull();
    const [answer] = exchange(member, heartbeat(2, { term: 1 }));
    expect(answer).not.toHaveProperty("repairId");
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    expect(exchange(member, voteRequest(3, { term: 2, lastIndex: 3, lastTerm: 1 }))).toMatchObject([{ granted: true }]);
  });

  test("lets it stand for election", () => {
    const member = repaired();
    expect(member.core.campaign()).toBe("started");
  });

  test("comes only after the core has said so", () => {
    const member = damaged();
    expect(() => member.core.endRepair()).toThrow("only after the core has said");
    sendAll(member, { term: 1, index: 3 });
    member.collect();
    expect(() => member.core.endRepair()).toThrow("only after the core has said");
    expect(() => soloMember({ size: 3 }).core.endRepair()).toThrow("Only a member under repair");
  });

  test("is lost with the power if it was not durable", () => {
    const member = damaged();
    sendAll(member, { term: 1, index: 3 });
    drain(member);
    member.crash(0, true);
    expect(member.core.isUnderRepair).toBe(true);
  });

  test("holds after a crash if it was", () => {
    const member = damaged();
    sendAll(member, { term: 1, index: 3 });
    drain(member);
    member.storeRepairEnd();
    member.crash(0, true);
    expect(member.core.isUnderRepair).toBe(false);
  });
});

test("a member tells when its repair begins, how far it has to go, and when it ends", () => {
  const events = new RecordedEvents();
  const member = damaged({ terms: [1], options: { onEvent: events.sink } });
  exchange(member, append(2, { term: 1, prevIndex: 1, prevTerm: 1, terms: [1] }));
  for (let beat = 0; beat < 2; beat++) exchange(member, heartbeat(2, { term: 1, repair: { id: ID, index: 2 } }));
  member.endRepair();
  const types = ["repairStarted", "repairTargeted", "repairEnded"];
  expect(events.all.filter(({ type }) => types.includes(type))).toEqual([
    { type: "repairStarted", id: ID, lastIndex: 1 },
    { type: "repairTargeted", leader: 2, target: 2 },
    { type: "repairEnded", id: ID, lastIndex: 2 },
  ]);
});

test("a mark or a target that is no number of a repair is malformed", () => {
  const member = soloMember({ size: 3, terms: [1] });
  for (const repairId of [0, -1, 0.5, 2 ** 53, Number.NaN]) {
    expect(member.core.step(accept(2, { term: 1, index: 1, repairId }))).toBe("malformed");
    expect(member.core.step(heartbeat(2, { term: 1, repair: { id: repairId, index: 1 } }))).toBe("malformed");
  }
  expect(member.core.step(heartbeat(2, { term: 1, repair: { id: 1, index: -1 } }))).toBe("malformed");
  expect(ofType(drain(member), "heartbeatResponse")).toEqual([]);
});
