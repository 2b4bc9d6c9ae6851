import { describe, expect, test } from "vitest";
import { EMPTY_CONFIGURATION, votersOnly } from "./membership/configuration.ts";
import { READS_MAX } from "./reads/leader-reads.ts";
import { changeOf, remove } from "./testing/member-changes.ts";
import { soloLeader } from "./testing/solo-leader.ts";
import { accept, becomeLeader, drain, exchange, heartbeat, heartbeatAnswer, ofType, soloMember } from "./testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "./testing/test-cluster.ts";
import type { TestMember } from "./testing/test-member.ts";

function positions(member: TestMember): readonly number[] {
  return ofType(drain(member), "heartbeat").map((message) => message.readPosition);
}

describe("at the leader", () => {
  test("a read is answered once a majority has confirmed its round", () => {
    const member = soloLeader({ size: 5 });
    member.core.readIndex(7);
    expect(positions(member)).toEqual([1, 1, 1, 1]);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }), heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([]);
    exchange(member, heartbeatAnswer(3, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([{ requestId: 7, index: 1 }]);
  });

  test("all reads of one turn share one round of heartbeats", () => {
    const member = soloLeader({ size: 3 });
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
    const member = soloLeader({ size: 3 });
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
    const member = soloLeader({ size: 3 });
    exchange(member, heartbeat(2, { term: 2 }));
    becomeLeader(member);
    exchange(member, accept(2, { term: 3, index: 2 }));
    member.core.readIndex(1);
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([]);
  });

  test("a new leader that can commit nothing fails the reads that wait for it", () => {
    const member = soloMember({ size: 3, options: { checkQuorum: false } });
    becomeLeader(member);
    member.core.readIndex(1);
    drain(member);
    for (let tick = 0; tick < 2 * ELECTION_TICKS; tick++) member.core.tick();
    drain(member);
    expect(member.reads).toEqual([{ requestId: 1, failed: "timed_out" }]);
    exchange(member, accept(2, { term: 1, index: 1 }));
    expect([member.core.status().waitingReads, positions(member)]).toEqual([0, []]);
  });

  test("a lost round is repeated by the next heartbeat", () => {
    const member = soloLeader({ size: 3 });
    member.core.readIndex(1);
    drain(member);
    member.core.tick();
    expect(positions(member)).toEqual([1, 1]);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    member.core.tick();
    expect(positions(member)).toEqual([0, 0]);
  });

  test("reads fail when the office is lost, held ones too", () => {
    const member = soloLeader({ size: 3 });
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
    const member = soloLeader({ size: 3 });
    member.core.readIndex(1);
    for (let tick = 0; tick < 2 * ELECTION_TICKS - 1; tick++) member.core.tick();
    drain(member);
    expect(member.reads).toEqual([]);
    member.core.tick();
    drain(member);
    expect(member.reads).toEqual([{ requestId: 1, failed: "timed_out" }]);
  });

  test("a single voter confirms by itself, in the same Ready", () => {
    const member = soloLeader({ size: 1 });
    member.core.readIndex(5);
    expect(member.collect()?.reads).toEqual([{ requestId: 5, index: 1 }]);
  });

  test("more reads than may wait are refused at once", () => {
    const member = soloLeader({ size: 3 });
    for (let id = 1; id <= READS_MAX + 1; id++) member.core.readIndex(id);
    drain(member);
    expect(member.reads).toEqual([{ requestId: READS_MAX + 1, failed: "overloaded" }]);
  });
});

describe("who confirms", () => {
  test("are both majorities of a joint configuration", () => {
    const configuration = { ...EMPTY_CONFIGURATION, voters: [1, 4, 5], outgoing: [1, 2, 3] };
    const member = soloLeader({ size: 0, configuration });
    member.core.readIndex(7);
    drain(member);
    exchange(member, ...[4, 5].map((from) => heartbeatAnswer(from, { term: 1, readPosition: 1 })));
    expect(member.reads).toEqual([]);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    expect(member.reads).toEqual([{ requestId: 7, index: 1 }]);
  });

  test("are no learners", () => {
    const member = soloLeader({ size: 0, configuration: { ...votersOnly([1, 2, 3]), learners: [4, 5] } });
    member.core.readIndex(7);
    drain(member);
    exchange(member, ...[4, 5].map((from) => heartbeatAnswer(from, { term: 1, readPosition: 1 })));
    expect(member.reads).toEqual([]);
  });

  test("are as few as a change of members leaves", () => {
    const member = soloLeader({ size: 2 });
    member.core.proposeChange(changeOf(remove(2)));
    member.core.readIndex(7);
    drain(member);
    exchange(member, accept(2, { term: 1, index: 2 }));
    expect(member.reads).toEqual([{ requestId: 7, index: 1 }]);
  });

  test("may answer rounds in any order: the highest speaks for all before", () => {
    const member = soloLeader({ size: 5 });
    for (const id of [1, 2, 3]) {
      member.core.readIndex(id);
      drain(member);
    }
    const answers = [2, 1].map((readPosition) => heartbeatAnswer(2, { term: 1, readPosition }));
    exchange(member, ...answers, heartbeatAnswer(3, { term: 1, readPosition: 3 }));
    expect(member.reads.map((read) => read.requestId)).toEqual([1, 2]);
    exchange(member, heartbeatAnswer(4, { term: 1, readPosition: 3 }), heartbeatAnswer(5, { term: 1, readPosition: 2 }));
    expect(member.reads.map((read) => read.requestId)).toEqual([1, 2, 3]);
    expect(member.core.status().waitingReads).toBe(0);
  });
});

describe("a leader that is none any more", () => {
  test("releases nothing to late answers, though a new request has the number of an old one", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.passes = ({ type }) => type !== "heartbeatResponse";
    cluster.member(1).core.readIndex(1);
    cluster.settle();
    const late = cluster.sent.filter((message) => message.type === "heartbeatResponse");
    expect(late).toHaveLength(2);
    cluster.isolate(1);
    cluster.elect(2);
    cluster.propose(2, "written meanwhile");
    // Member 1 was forgotten as leader only by itself: it leads on in its own eyes.
    expect(cluster.member(1).core.role).toBe("leader");
    cluster.member(1).core.readIndex(1);
    cluster.settle();
    for (const message of late) cluster.member(1).core.step(message);
    cluster.settle();
    expect(cluster.member(1).reads).toEqual([{ requestId: 1, index: 1 }]);
    expect(cluster.member(1).core.status().waitingReads).toBe(1);
  });

  test("fails its reads when it steps down for want of a quorum, and the next leader answers", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(1);
    cluster.tick(1, ELECTION_TICKS);
    cluster.member(1).core.readIndex(1);
    cluster.tick(1, ELECTION_TICKS);
    cluster.settle();
    expect(cluster.member(1).reads).toEqual([{ requestId: 1, failed: "leadership_lost" }]);
    cluster.elect(2);
    cluster.heal();
    cluster.tick(2);
    cluster.settle();
    cluster.member(1).core.readIndex(2);
    cluster.settle();
    expect(cluster.member(1).reads[1]).toEqual({ requestId: 2, index: 2 });
  });

  test("fails its reads when its own removal is in force", () => {
    const member = soloLeader({ size: 3 });
    member.core.proposeChange(changeOf(remove(1)));
    drain(member);
    member.core.readIndex(1);
    exchange(member, accept(2, { term: 1, index: 2 }), accept(3, { term: 1, index: 2 }));
    expect(member.reads).toEqual([{ requestId: 1, failed: "leadership_lost" }]);
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

  test("a learner asks the leader as well", () => {
    const cluster = new TestCluster({ size: 4, configuration: { ...votersOnly([1, 2, 3]), learners: [4] } });
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.member(4).core.readIndex(1);
    cluster.settle();
    expect(cluster.member(4).reads).toEqual([{ requestId: 1, index: 2 }]);
  });

  test("more reads than may wait are refused at once", () => {
    const member = soloMember({ size: 3 });
    exchange(member, heartbeat(2, { term: 1 }));
    for (let id = 1; id <= READS_MAX + 1; id++) member.core.readIndex(id);
    drain(member);
    expect(member.reads).toEqual([{ requestId: READS_MAX + 1, failed: "overloaded" }]);
  });

  test("more requests of others than may wait are not taken, and time out where they came from", () => {
    const member = soloLeader({ size: 3 });
    for (let requestId = 1; requestId <= READS_MAX + 1; requestId++) {
      member.core.step({ type: "readIndexRequest", from: 2, to: 1, requestId });
    }
    expect(member.core.status().waitingReads).toBe(READS_MAX);
  });

  test("the reads of one turn share one request", () => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    for (let id = 1; id <= 50; id++) cluster.member(2).core.readIndex(id);
    cluster.settle();
    expect(cluster.sent.filter((message) => message.type === "readIndexRequest")).toHaveLength(1);
    expect(cluster.member(2).reads).toHaveLength(50);
  });

  test("the reads of different turns have requests of their own, answered in any order", () => {
    const member = soloMember({ size: 3 });
    exchange(member, heartbeat(2, { term: 1 }));
    const requests = [1, 2].map((id) => {
      member.core.tick();
      member.core.readIndex(id);
      const sent = ofType(drain(member), "readIndexRequest");
      expect(sent).toHaveLength(1);
      return sent[0]?.requestId ?? 0;
    });
    for (const requestId of [requests[1] ?? 0, requests[0] ?? 0, 99]) {
      exchange(member, { type: "readIndexResponse", from: 2, to: 1, requestId, index: 4 });
    }
    expect(member.reads.map((read) => read.requestId)).toEqual([2, 1]);
  });

  test("without a leader a read fails at once", () => {
    const member = soloMember({ size: 3 });
    member.core.readIndex(3);
    expect(member.collect()?.reads).toEqual([{ requestId: 3, failed: "no_leader" }]);
  });

  test("a request to a member that leads no more fails, and works at the new leader", () => {
    const cluster = new TestCluster({ size: 3, options: { preVote: false, checkQuorum: false } });
    cluster.elect(1);
    cluster.passes = (message) => message.to !== 3;
    cluster.elect(2);
    cluster.heal();
    cluster.member(3).core.step({ ...heartbeat(1, { term: 1 }), to: 3 });
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
