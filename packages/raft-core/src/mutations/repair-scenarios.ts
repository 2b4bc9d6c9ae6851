import { leadersOf, passTime } from "../testing/cluster-time.ts";
import { acceptances, peerStatus } from "../testing/solo-leader.ts";
import { accept, append, becomeLeader, drain, exchange, heartbeat, heartbeatAnswer, soloMember } from "../testing/solo-member.ts";
import { ELECTION_TICKS, payload, TestCluster } from "../testing/test-cluster.ts";
import type { TestMember } from "../testing/test-member.ts";
import { demand } from "./demand.ts";

/** Promises of a member that lost entries, and of its leader. */
export const repairScenarios = {
  "a committed entry outlives the damage of a member that acknowledged it": (): void => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose(1, "held by 1 and 2");
    const { commit } = cluster.member(1).core;
    damage(cluster.member(2), 1);
    cluster.isolate(1);
    passTime(cluster, 10 * ELECTION_TICKS, [2, 3]);
    for (const id of leadersOf(cluster)) {
      const holds = cluster.member(id).core.lastIndex >= commit && cluster.member(id).core.entryAt(commit)?.term === 1;
      demand(holds, `member ${id} leads and lacks the committed entry ${commit}`);
    }
    cluster.heal();
    passTime(cluster, 5 * ELECTION_TICKS);
    demand(cluster.member(3).core.commit >= commit && !cluster.member(2).core.isUnderRepair, "the cluster does not come back to life");
  },

  "what a damaged log still holds is verified before it counts": (): void => {
    const member = soloMember({ size: 3, terms: [1, 1, 1], commit: 3, isDamaged: true });
    exchange(member, heartbeat(2, { term: 2, commit: 3, repair: { id: 1, index: 3 } }));
    demand(member.core.commit === 0, "it is committed");
    demand(!member.isRepaired, "the repair ends with it");
    exchange(member, append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2], commit: 3 }));
    demand(member.core.commit === 3 && member.isRepaired, "what the leader sends does not count either");
  },

  "a repair ends when what came back is durable": (): void => {
    const member = soloMember({ size: 3, isDamaged: true });
    member.core.step(append(2, { term: 1, prevIndex: 0, prevTerm: 0, terms: [1, 1] }));
    member.core.step(heartbeat(2, { term: 1, repair: { id: 1, index: 2 } }));
    member.collect();
    demand(!member.isRepaired, "it ends while the entries are still being written");
    drain(member);
    demand(member.isRepaired, "it does not end");
  },

  "a repair ends when the commit index is durable too": (): void => {
    const member = soloMember({ size: 3, terms: [1, 1, 1], isDamaged: true });
    member.core.step(append(2, { term: 1, prevIndex: 3, prevTerm: 1, commit: 3 }));
    member.core.step(heartbeat(2, { term: 1, repair: { id: 1, index: 3 } }));
    member.collect();
    demand(!member.isRepaired, "it ends while the commit index may still be forgotten");
    drain(member);
    demand(member.isRepaired, "it does not end");
  },

  "what was verified against one leader is verified again against the next": (): void => {
    const member = soloMember({ size: 3, terms: [1], isDamaged: true });
    exchange(member, append(2, { term: 2, prevIndex: 1, prevTerm: 1, terms: [2, 2, 2] }));
    exchange(member, heartbeat(3, { term: 3, repair: { id: 1, index: 3 } }));
    demand(!member.isRepaired, "the log of a deposed leader passes for the new one's");
    exchange(member, append(3, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3, 3] }));
    demand(member.isRepaired, "it is not repaired by the new leader's log");
  },

  "each leader names its own target": (): void => {
    const member = soloMember({ size: 3, terms: [1], isDamaged: true });
    exchange(member, heartbeat(2, { term: 2, repair: { id: 1, index: 3 } }));
    exchange(member, append(3, { term: 3, prevIndex: 1, prevTerm: 1, terms: [3, 3] }));
    demand(!member.isRepaired, "the target of another leader is good enough");
  },

  "a target named for an earlier repair says nothing about this one": (): void => {
    const member = soloMember({ size: 3, terms: [1, 1], isDamaged: true });
    exchange(member, append(2, { term: 1, prevIndex: 2, prevTerm: 1 }), heartbeat(2, { term: 1, repair: { id: 9, index: 2 } }));
    demand(!member.isRepaired, "it was taken");
  },

  "a second loss begins the repair anew": (): void => {
    const leader = leaderOfThree();
    exchange(leader, accept(2, { term: 1, index: 1, repairId: 5 }), heartbeatAnswer(2, { term: 1, repairId: 6 }));
    demand(peerStatus(leader, 2).match === 0, "what it held after the first loss is thought to be there after the second");
  },

  "what was acknowledged under repair counts at its end": (): void => {
    const leader = leaderOfThree();
    const { lastIndex } = leader.core;
    exchange(leader, accept(2, { term: 1, index: lastIndex, repairId: 5 }), heartbeatAnswer(2, { term: 1 }));
    demand(leader.core.commit === lastIndex, "it is not committed");
  },

  "no quorum contains a member under repair": (): void => {
    const leader = leaderOfThree();
    const { commit } = leader.core;
    leader.core.readIndex(1);
    drain(leader);
    exchange(leader, accept(2, { term: 1, index: leader.core.lastIndex, repairId: 5 }));
    exchange(leader, heartbeatAnswer(2, { term: 1, readPosition: 1, repairId: 5 }));
    demand(leader.core.commit === commit && leader.reads.length === 0, "it commits, or confirms a read");
  },

  "a leader repairs a majority": (): void => {
    const cluster = new TestCluster({ size: 3 });
    cluster.elect(1);
    cluster.propose(1, "held by all");
    for (const id of [2, 3]) damage(cluster.member(id), 0);
    cluster.passes = (message) => message.type !== "appendEntries";
    passTime(cluster, 5 * ELECTION_TICKS);
    demand(cluster.member(1).core.role === "leader", "it steps down, and nobody can be elected");
    cluster.heal();
    passTime(cluster, ELECTION_TICKS);
    demand(
      cluster.members.every(({ core }) => !core.isUnderRepair),
      "somebody stays under repair",
    );
  },

  "leadership is not handed to a member under repair": (): void => {
    const leader = leaderOfThree();
    exchange(leader, heartbeatAnswer(2, { term: 1, repairId: 5 }));
    demand(leader.core.transferLeadership(2).outcome === "refused", "it is");
  },

  "a leader of an earlier term hears so from a member under repair": (): void => {
    const options = { preVote: false, checkQuorum: false };
    const member = soloMember({ size: 3, terms: [1], term: 5, isDamaged: true, options });
    const [answer] = exchange(member, heartbeat(2, { term: 3 }));
    demand(answer?.type === "appendEntriesResponse" && answer.term === 5, "it hears nothing, and nobody ever frees the member");
  },
} as const;

/** Member 1 leads members 2 and 3, which hold the first entry, and has added a second. */
function leaderOfThree(): TestMember {
  const leader = soloMember({ size: 3 });
  becomeLeader(leader);
  exchange(leader, ...acceptances(leader));
  leader.core.propose([payload("x")]);
  drain(leader);
  return leader;
}

function damage(member: TestMember, entriesKept: number): void {
  member.crash(0, true);
  member.damage({ undone: 0, entriesKept });
}
