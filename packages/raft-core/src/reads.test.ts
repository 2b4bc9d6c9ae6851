import { describe, expect, test } from "vitest";
import { READS_MAX } from "./reads/leader-reads.ts";
import { accept, becomeLeader, drain, exchange, heartbeat, heartbeatAnswer, ofType, soloMember } from "./testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";

/** A leader of term 1 with its first entry committed. */
function leader(size = 3): TestMember {
  const member = soloMember({ size });
  becomeLeader(member);
  exchange(member, ...Array.from({ length: size - 1 }, (_, place) => accept(place + 2, { term: 1, index: 1 })));
  expect(member.core.commit).toBe(1);
  return member;
}

function positions(member: TestMember): readonly number[] {
  return ofType(drain(member), "heartbeat").map((message) => message.readPosition);
}

describe("at the leader", () => {
  test("a read is answered once a majority has confirmed its round", () => {
    const member = leader(5);
    member.core.readIndex(7);
    expect(positions(member)).toEqual([1, 1, 1, 1]);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }), heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([]);
    exchange(member, heartbeatAnswer(3, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([{ requestId: 7, index: 1 }]);
  });

  test("all reads of one turn share one round of heartbeats", () => {
    const member = leader();
    for (let id = 1; id <= 100; id++) member.core.readIndex(id);
    expect(positions(member)).toEqual([1, 1]);
    exchange(member, heartbeatAnswer(3, { term: 1, readPosition: 1 }));
    expect(member.reads.map((read) => read.requestId)).toEqual(Array.from({ length: 100 }, (_, place) => place + 1));
  });

  test("a new leader answers nothing before the first commit of its own term, and then with that index", () => {
    const member = soloMember({ size: 3, terms: [1, 1], commit: 1 });
    becomeLeader(member);
    member.core.readIndex(7);
    expect(positions(member)).toEqual([]);
    exchange(member, heartbeatAnswer(2, { term: 2 }));
    expect(member.reads).toEqual([]);
    expect(ofType(exchange(member, accept(2, { term: 2, index: 3 })), "heartbeat")).toHaveLength(2);
    exchange(member, heartbeatAnswer(2, { term: 2, readPosition: 1 }));
    expect(member.reads).toEqual([{ requestId: 7, index: 3 }]);
  });

  test("an answer to an earlier round never confirms a later read", () => {
    const member = leader();
    member.core.readIndex(1);
    drain(member);
    member.core.readIndex(1);
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(member.reads).toHaveLength(1);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 2 }), heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(member.reads).toHaveLength(2);
  });

  test("positions of another term confirm nothing", () => {
    const member = leader();
    exchange(member, heartbeat(2, { term: 2 }));
    becomeLeader(member);
    exchange(member, accept(2, { term: 3, index: 2 }));
    member.core.readIndex(1);
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([]);
  });

  test("a lost round is repeated by the next heartbeat", () => {
    const member = leader();
    member.core.readIndex(1);
    drain(member);
    member.core.tick();
    expect(positions(member)).toEqual([1, 1]);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    member.core.tick();
    expect(positions(member)).toEqual([0, 0]);
  });

  test("reads fail when the office is lost, held ones too", () => {
    const member = leader();
    member.core.readIndex(1);
    drain(member);
    member.core.readIndex(2);
    exchange(member, heartbeat(2, { term: 2 }));
    expect(member.reads).toEqual([
      { requestId: 1, failed: "leadership_lost" },
      { requestId: 2, failed: "leadership_lost" },
    ]);
  });

  test("a leader that nobody answers fails its reads after a time", () => {
    const member = leader();
    member.core.readIndex(1);
    for (let tick = 0; tick < 2 * ELECTION_TICKS - 1; tick++) member.core.tick();
    drain(member);
    expect(member.reads).toEqual([]);
    member.core.tick();
    drain(member);
    expect(member.reads).toEqual([{ requestId: 1, failed: "timed_out" }]);
  });

  test("a single voter confirms by itself, in the same Ready", () => {
    const member = soloMember({ size: 1 });
    member.core.tick();
    drain(member);
    member.core.readIndex(5);
    expect(member.collect()?.reads).toEqual([{ requestId: 5, index: 1 }]);
  });

  test("more reads than may wait are refused at once", () => {
    const member = leader();
    for (let id = 1; id <= READS_MAX + 1; id++) member.core.readIndex(id);
    drain(member);
    expect(member.reads).toEqual([{ requestId: READS_MAX + 1, failed: "timed_out" }]);
  });
});

describe("at a follower", () => {
  test("reads see every write that was finished before, wherever they are asked", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.propose(1, "a", "b", "c");
    for (const member of cluster.members) member.core.readIndex(1);
    cluster.settle();
    for (const member of cluster.members) expect(member.reads).toEqual([{ requestId: 1, index: 4 }]);
  });

  test("the reads of one turn share one request", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    for (let id = 1; id <= 50; id++) cluster.member(2).core.readIndex(id);
    cluster.settle();
    expect(cluster.sent.filter((message) => message.type === "readIndexRequest")).toHaveLength(1);
    expect(cluster.member(2).reads).toHaveLength(50);
  });

  test("without a leader a read fails at once", () => {
    const member = soloMember({ size: 3 });
    member.core.readIndex(3);
    expect(member.collect()?.reads).toEqual([{ requestId: 3, failed: "no_leader" }]);
  });

  test("a request to a member that leads no more fails, and works at the new leader", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.passes = (message) => message.to !== 3;
    cluster.elect(2);
    cluster.heal();
    cluster.member(3).core.readIndex(1);
    cluster.work(cluster.member(3));
    cluster.settle();
    expect(cluster.member(3).reads).toEqual([{ requestId: 1, failed: "leadership_lost" }]);
    cluster.tick(2);
    cluster.settle();
    cluster.member(3).core.readIndex(2);
    cluster.settle();
    expect(cluster.member(3).reads[1]).toEqual({ requestId: 2, index: 2 });
  });

  test("requests that nobody answers fail after a time, and when the leader changes", () => {
    const member = soloMember({ size: 3 });
    exchange(member, heartbeat(2, { term: 1 }));
    member.core.readIndex(1);
    for (let tick = 0; tick < 2 * ELECTION_TICKS; tick++) {
      member.core.tick();
      exchange(member, heartbeat(2, { term: 1 }));
    }
    expect(member.reads).toEqual([{ requestId: 1, failed: "timed_out" }]);
    member.core.readIndex(2);
    exchange(member, heartbeat(3, { term: 2 }));
    expect(member.reads[1]).toEqual({ requestId: 2, failed: "leadership_lost" });
  });

  test("an answer to a request from before a crash is not taken for a new one", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    const reader = cluster.member(2);
    reader.core.readIndex(1);
    const request = ofType(reader.collect()?.messages ?? [], "readIndexRequest")[0];
    reader.crash(0, true);
    exchange(reader, { ...heartbeat(1, { term: 1 }), to: 2 });
    reader.core.readIndex(1);
    drain(reader);
    exchange(reader, { type: "readIndexResponse", from: 1, to: 2, requestId: request?.requestId ?? 0, index: 1 });
    expect(request).toBeDefined();
    expect(reader.reads).toEqual([]);
  });
});
