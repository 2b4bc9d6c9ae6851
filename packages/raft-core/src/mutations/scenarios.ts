import { encodeChange } from "../membership/change-codec.ts";
import { configurationsEqual, votersOnly } from "../membership/configuration.ts";
import { passTime } from "../testing/cluster-time.ts";
import { addLearner, addVoter, changeOf, remove } from "../testing/member-changes.ts";
import { EMPTY_HISTORY } from "../testing/shadow-log.ts";
import {
  accept,
  append,
  becomeLeader,
  drain,
  exchange,
  heartbeatAnswer,
  preVote,
  soloMember,
  vote,
  voteRequest,
} from "../testing/solo-member.ts";
import { ELECTION_TICKS, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import { Progress } from "../tracker/progress.ts";
import { demand } from "./demand.ts";
import { repairScenarios } from "./repair-scenarios.ts";
import { resignationScenarios } from "./resignation-scenarios.ts";

/** What chance meets too seldom, one promise each. They throw if it is broken. */
export const scenarios = {
  ...repairScenarios,
  ...resignationScenarios,

  "a member that hears nobody keeps its term": (): void => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    const { term } = cluster.member(3).core;
    cluster.isolate(3);
    passTime(cluster, 20);
    demand(cluster.member(3).core.term === term, "it did not");
  },

  "a leader that hears no quorum steps down": (): void => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(1);
    cluster.tick(1, 3 * ELECTION_TICKS);
    demand(cluster.member(1).core.role !== "leader", "it did not");
  },

  "a leader that is heard is not deposed by one that hears nobody": (): void => {
    const cluster = new TestCluster({ size: 3, options: { preVote: false } });
    cluster.elect(1);
    const { term } = cluster.member(1).core;
    cluster.passes = (message) => message.to !== 3;
    passTime(cluster, 5 * ELECTION_TICKS);
    demand(cluster.member(1).core.role === "leader" && cluster.member(1).core.term === term, "it was");
  },

  "a follower commits what this leader has verified": (): void => {
    const member = soloMember({ size: 3, terms: [1, 1, 2, 2] });
    exchange(member, append(2, { term: 3, prevIndex: 1, prevTerm: 1, terms: [1], commit: 4 }));
    demand(member.core.commit === 2, `it commits ${member.core.commit}`);
  },

  "an answer given before a read does not confirm it": (): void => {
    const member = soloMember({ size: 3 });
    becomeLeader(member);
    exchange(member, accept(2, { term: 1, index: 1 }));
    member.core.readIndex(1);
    drain(member);
    exchange(member, heartbeatAnswer(2, { term: 1, readPosition: 1 }));
    member.core.readIndex(2);
    drain(member);
    exchange(member, heartbeatAnswer(3, { term: 1, readPosition: 1 }));
    demand(member.reads.length === 1, "it does");
  },

  "no hint and no operator shortens what a lease relies on": (): void => {
    const member = soloMember({ size: 3, options: { leaseReads: { driftPpm: 0, tickMs: 10 } } });
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0 }));
    demand(member.core.leaderSilent() === "hint_ignored", "a hint is followed");
    member.core.forgetLeader();
    demand(member.core.leader === 2, "the leader is forgotten");
  },

  "a new leader changes no members before it has committed anything": (): void => {
    const member = soloMember({ size: 3, terms: [1], commit: 1 });
    drain(member);
    becomeLeader(member);
    const outcome = member.core.proposeChange(changeOf(addVoter(4)));
    demand(outcome.outcome === "dropped", `it did: ${JSON.stringify(outcome)}`);
  },

  "leadership is handed only to who has the whole log": (): void => {
    const member = soloMember({ size: 3 });
    becomeLeader(member);
    exchange(member, accept(2, { term: 1, index: 1 }), accept(3, { term: 1, index: 1 }));
    member.core.propose([new Uint8Array(1)]);
    drain(member);
    member.core.transferLeadership(2);
    const early = drain(member).some(({ type }) => type === "timeoutNow");
    demand(!early, "it was handed to one that lacks an entry");
  },

  "a member in quarantine gives no vote and acknowledges nothing": (): void => {
    const member = soloMember({ size: 3, terms: [1] });
    member.core.quarantine({ kind: "storage", description: "a sync failed" });
    member.core.step(voteRequest(2, { term: 5, lastIndex: 9, lastTerm: 4 }));
    member.core.step(append(2, { term: 5, prevIndex: 1, prevTerm: 1, terms: [5] }));
    const ready = member.collect();
    const isSilent = ready === undefined || (ready.append === null && ready.messages.length === 0);
    demand(isSilent, `it does: ${JSON.stringify(ready)}`);
  },

  "a member added again within one change starts anew": (): void => {
    const configuration = { ...votersOnly([1, 2, 3]), learners: [4] };
    const cluster = new TestCluster({ size: 4, configuration });
    cluster.elect(1);
    cluster.propose(1, "a", "b");
    const leader = cluster.member(1);
    leader.core.proposeChange(changeOf(remove(4), addLearner(4)));
    cluster.isolate(4);
    cluster.settle();
    const match = leader.core.status().peers.find(({ id }) => id === 4)?.match;
    demand(match === 0, `what it held before still counts up to ${match}`);
  },

  "an acknowledged append says nothing about what replaced it and came back": (): void => {
    const member = soloMember({ size: 3, terms: [1] });
    collectAfter(member, () => member.core.step(append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2] })));
    collectAfter(member, () => member.core.step(append(3, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3] })));
    collectAfter(member, () => member.core.step(append(2, { term: 4, prevIndex: 1, prevTerm: 1, terms: [2] })));
    member.write();
    demand(member.core.status().durableIndex === 1, "the first entry counts as durable while its replacement is being written");
  },

  "a store that was lost counts no more": (): void => {
    const member = soloMember({ size: 3 });
    becomeLeader(member);
    member.core.peerLostStore(2);
    exchange(member, accept(2, { term: 1, index: 1 }));
    demand(member.core.commit === 0, "it was counted");
  },

  "a slow leader's lease ends before a fast member votes for another": (): void => {
    const leaseReads = { driftPpm: 200_000, tickMs: 10 };
    const member = soloMember({ size: 3, options: { leaseReads } });
    member.core.observeTime(0);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    becomeLeader(member);
    exchange(member, accept(2, { term: 1, index: 1 }));
    beat(member);
    const electionMs = (ELECTION_TICKS - 1) * leaseReads.tickMs;
    member.core.observeTime(electionMs * 0.8 - 1);
    demand(isServedAtOnce(member), "it ends too early");
    member.core.observeTime(electionMs * 0.8 + 1);
    demand(!isServedAtOnce(member), "it lasts too long");
  },

  "a lease counts from when the question was asked": (): void => {
    const member = soloMember({ size: 3, options: { leaseReads: { driftPpm: 0, tickMs: 10 } } });
    member.core.observeTime(0);
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    becomeLeader(member);
    exchange(member, accept(2, { term: 1, index: 1 }));
    member.core.tick();
    const questions = drain(member);
    member.core.observeTime(80);
    for (const message of questions) {
      if (message.type === "heartbeat") exchange(member, heartbeatAnswer(2, { term: 1, readPosition: message.readPosition }));
    }
    member.core.observeTime(95);
    demand(!isServedAtOnce(member), "it counts from the answer");
  },

  "a hand-over ends the lease": (): void => {
    const member = soloMember({ size: 3, options: { leaseReads: { driftPpm: 0, tickMs: 10 } } });
    member.core.observeTime(0);
    becomeLeader(member);
    exchange(member, accept(2, { term: 1, index: 1 }));
    beat(member);
    demand(isServedAtOnce(member), "there is none");
    member.core.transferLeadership(2);
    demand(!isServedAtOnce(member), "it goes on");
  },

  "who comes back with leases in use votes for nobody at first": (): void => {
    const member = soloMember({ size: 3, options: { leaseReads: { driftPpm: 0, tickMs: 10 } } });
    const sent = exchange(member, voteRequest(2, { term: 1, lastIndex: 0, lastTerm: 0 }));
    demand(sent.length === 0, `it answered ${JSON.stringify(sent)}`);
  },

  "who promised a leader patience keeps it when the leader is forgotten": (): void => {
    const member = soloMember({ size: 3, options: { leaseReads: { driftPpm: 0, tickMs: 10 } } });
    for (let tick = 0; tick < ELECTION_TICKS; tick++) member.core.tick();
    exchange(member, append(2, { term: 1, prevIndex: 0, prevTerm: 0 }), preVote(3, { term: 2, granted: false }));
    const sent = exchange(member, voteRequest(3, { term: 3, lastIndex: 9, lastTerm: 2 }));
    demand(member.core.term === 2 && sent.length === 0, `it answered ${JSON.stringify(sent)}`);
  },

  "what was verified is not sent again": (): void => {
    const limits = { inflightMessagesMax: 1, inflightBytesMax: 1, adaptiveWindow: false };
    const peer = new Progress(2, 9, false, limits);
    peer.accepted(5);
    peer.refused(8, 0);
    demand(peer.next === 6, `it goes on from ${peer.next}`);
  },

  "a snapshot's members are those of its index": (): void => {
    const member = soloMember({ size: 3 });
    const change = { index: 1, term: 1, kind: "configuration", data: encodeChange(changeOf(addVoter(4))) } as const;
    member.core.step({ ...append(2, { term: 1, prevIndex: 0, prevTerm: 0, commit: 1 }), entries: [change] });
    member.collect();
    member.write();
    member.collect();
    const configuration = votersOnly([1, 2, 3]);
    const snapshot = { index: 5, term: 1, configuration };
    member.receiveSnapshot({ type: "installSnapshot", from: 2, to: 1, term: 1, snapshot }, EMPTY_HISTORY);
    while (member.applies.length > 0) member.apply();
    demand(configurationsEqual(member.core.configuration, configuration), "a change from before it alters them");
  },

  "nobody is elected among members that a committed change removed": (): void => {
    const cluster = new TestCluster({ size: 4, configuration: votersOnly([1, 2, 3]) });
    cluster.elect(1);
    const held = cluster.member(3);
    cluster.member(1).core.proposeChange(changeOf(addVoter(4)));
    for (let round = 0; round < 10; round++) deliverWithoutApplying(cluster, held);
    demand(held.core.commit > held.core.appliedIndex, "the change is committed and not applied");
    demand(held.core.campaign() === "unapplied_configuration", "it campaigns");
  },

  "each voter counts once": (): void => {
    const member = soloMember({ size: 5, options: { preVote: false } });
    member.core.campaign();
    drain(member);
    exchange(member, ...[2, 2, 2].map((voter) => vote(voter, { term: 1 })));
    demand(member.core.role === "candidate", "one voter elected a leader");
  },
} as const;

export type ScenarioName = keyof typeof scenarios;

function collectAfter(member: TestMember, action: () => void): void {
  action();
  member.collect();
}

/** A round of heartbeats that member 2 answers. */
function beat(member: TestMember): void {
  member.core.tick();
  for (const message of drain(member)) {
    if (message.type === "heartbeat") exchange(member, heartbeatAnswer(2, { term: 1, readPosition: message.readPosition }));
  }
}

function isServedAtOnce(member: TestMember): boolean {
  const before = member.reads.length;
  member.core.readIndex(before + 1);
  drain(member);
  return member.reads.length > before;
}

/** Everybody works, but the state machine of `held` stands still. */
function deliverWithoutApplying(cluster: TestCluster, held: TestMember): void {
  for (const member of cluster.members) {
    if (member !== held) {
      cluster.work(member);
      continue;
    }
    const ready = member.collect();
    cluster.post(member, ready?.messages ?? []);
    while (member.appends.length > 0) cluster.post(member, member.write());
  }
  cluster.deliverAll();
}
