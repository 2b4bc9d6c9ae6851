import { isJoint, isTracked, isVoter } from "../membership/configuration.ts";
import type { NodeId } from "../types.ts";
import { hasQuorum } from "./configuration-history.ts";
import { LEAVE_JOINT } from "./member-changes.ts";
import type { RandomCluster } from "./random-cluster.ts";
import type { TestMember } from "./test-member.ts";

/** Election time-outs within which a healed cluster has to agree on a leader and on everything before it. */
const HEALING_TIMEOUTS = 60;

/**
 * No more faults: within bounded time there is one leader, everything commits everywhere, reads and hand-overs succeed, and the leader
 * stays. Throws if the cluster does not come to life like that.
 */
export class HealedCluster {
  private readonly cluster: RandomCluster;
  private readonly electionTicks: number;
  /** Members that were switched off, because nothing else would keep them from disturbing a cluster they no longer belong to. */
  private readonly retired = new Set<TestMember>();

  constructor(cluster: RandomCluster) {
    this.cluster = cluster;
    this.electionTicks = cluster.setup.options.electionTicks;
  }

  /** Where it stands against a limit of the protocol instead, nothing more is asked of it. */
  demandLife(): "alive" | "outrun" {
    this.cluster.heal();
    if (!this.becomesCalm() && this.isOutrun()) return "outrun";
    this.demandCalm();
    this.demandNoUnfinishedChange();
    this.demandProgress();
    this.demandStability();
    this.demandReads();
    this.demandHandOver((leader, target) => this.cluster.transfer(leader, target));
    this.demandHandOver((leader, successor) => this.cluster.resign(leader, successor));
    this.demandProgress();
    return "alive";
  }

  private get leader(): TestMember {
    const [leader, ...others] = this.cluster.leaders;
    if (leader === undefined || others.length > 0) fail(`there are ${this.cluster.leaders.length} leaders`);
    return leader;
  }

  /** Those who should know everything. */
  private get tracked(): readonly TestMember[] {
    const { configuration } = this.leader.core;
    return this.cluster.members.filter((member) => isTracked(configuration, member.id));
  }

  private becomesCalm(): boolean {
    const { electionTicks } = this;
    for (let tick = 0; tick < HEALING_TIMEOUTS * electionTicks; tick++) {
      this.passTick({ evenly: false });
      this.retireStrangers();
      if (tick > 4 * electionTicks && this.isCalm()) return true;
    }
    return false;
  }

  /**
   * Members take part in a configuration from when they have applied it. Those that know of their removal do not stand for election any
   * more, but may hold more entries than those that are left, and refuse them their votes: if the leader is lost just then, nobody can
   * ever be elected. It could not happen if a change counted from when it is in the log (dissertation 4.1). Nor can anybody be elected
   * where those under repair are too many.
   */
  private isOutrun(): boolean {
    const { members } = this.cluster;
    return !members.some((candidate) => {
      const { configuration } = candidate.core;
      const wouldVote = (id: NodeId): boolean => {
        const voter = this.cluster.member(id);
        return !voter.core.isUnderRepair && isAtLeast(candidate, voter);
      };
      return !candidate.core.isUnderRepair && isVoter(configuration, candidate.id) && hasQuorum(configuration, wouldVote);
    });
  }

  private demandCalm(): void {
    if (this.isCalm()) return this.letLeaderSpeak();
    const members = this.cluster.members.map(
      ({ id, core }) => `${id}: ${core.role} ${core.term}, ${core.appliedIndex}/${core.commit}/${core.lastIndex}`,
    );
    fail(`no calm, ${members.join("; ")}`);
  }

  /** Time passed unevenly; now everybody begins to wait anew. */
  private letLeaderSpeak(): void {
    const { cluster, leader } = this;
    for (let tick = 0; tick < cluster.setup.options.heartbeatTicks; tick++) cluster.tickAll((member) => member !== leader);
    cluster.settle();
  }

  private isCalm(): boolean {
    const { leaders } = this.cluster;
    const [leader] = leaders;
    if (leaders.length !== 1 || leader === undefined) return false;
    const { lastIndex, configuration } = leader.core;
    if (isJoint(configuration) && configuration.autoLeave) return false;
    const { peers } = leader.core.status();
    if (peers.some(({ isUnderRepair }) => isUnderRepair)) return false;
    return this.tracked.every(({ core }) => core.appliedIndex === lastIndex && core.leader === leader.id && !core.isUnderRepair);
  }

  /** Without pre-votes and loyalty to a leader, only an operator keeps a removed member from deposing leaders (dissertation 4.2.3). */
  private retireStrangers(): void {
    const { preVote, checkQuorum } = this.cluster.setup.options;
    const [leader, ...others] = this.cluster.leaders;
    if ((preVote && checkQuorum) || leader === undefined || others.length > 0) return;
    for (const member of this.cluster.members) {
      if (isTracked(leader.core.configuration, member.id)) continue;
      this.retired.add(member);
    }
  }

  /** A joint configuration that waits to be left can be left. */
  private demandNoUnfinishedChange(): void {
    if (!isJoint(this.leader.core.configuration)) return;
    const before = this.leader;
    this.cluster.change(before, LEAVE_JOINT);
    this.pass(2);
    // A leader that left with the joint configuration is followed by another one, at any moment.
    if (this.cluster.leaders[0] !== before) this.becomesCalm();
    this.demandCalm();
    if (isJoint(this.leader.core.configuration))
      fail(`the joint configuration is not left: ${JSON.stringify(this.leader.core.configuration)}`);
  }

  /** A proposal is applied by everybody. */
  private demandProgress(): void {
    const { leader } = this;
    if (!this.cluster.propose(leader)) fail("the leader drops a proposal");
    this.pass(1);
    const last = leader.core.lastIndex;
    for (const { id, core } of this.tracked) {
      const { commit, lastIndex, appliedIndex } = core;
      if (appliedIndex !== last || lastIndex !== last) fail(`member ${id} stands at ${appliedIndex}/${commit}/${lastIndex} of ${last}`);
    }
  }

  /** Nobody deposes a leader that all follow. */
  private demandStability(): void {
    const { id, core } = this.leader;
    const { term } = core;
    this.pass(5);
    if (this.leader.id !== id || this.leader.core.term !== term) fail(`leader ${id} of term ${term} gave way to ${this.leader.id}`);
    if (core.status().transferTarget !== 0) fail("a hand-over never ends");
  }

  private demandReads(): void {
    const reads = this.tracked.map((member) => ({ member, requestId: this.cluster.read(member) }));
    this.pass(3);
    for (const { member, requestId } of reads) {
      const result = member.reads.find((read) => read.requestId === requestId);
      if (result === undefined || "failed" in result) fail(`a read at member ${member.id} came to ${JSON.stringify(result)}`);
    }
    for (const member of this.cluster.members.filter((one) => !this.retired.has(one))) {
      const count = this.cluster.invariants.unansweredReads(member);
      if (count > 0) fail(`${count} reads at member ${member.id} were never answered`);
    }
  }

  private demandHandOver(handOver: (leader: TestMember, successor: NodeId) => void): void {
    const { leader } = this;
    const voters = this.tracked.filter((member) => member !== leader && isVoter(leader.core.configuration, member.id));
    const target = voters[this.cluster.random.below(Math.max(1, voters.length))];
    if (target === undefined) return;
    handOver(leader, target.id);
    this.pass(1);
    if (this.leader !== target) fail(`leader ${leader.id} did not hand over to ${target.id}, but ${this.leader.id} leads`);
  }

  private pass(timeouts: number): void {
    for (let tick = 0; tick < timeouts * this.electionTicks; tick++) this.passTick({ evenly: true });
  }

  private passTick({ evenly }: { readonly evenly: boolean }): void {
    const { cluster, retired } = this;
    cluster.tickAll((member) => retired.has(member) || (!evenly && cluster.random.oneIn(3)));
    cluster.settle();
  }
}

/** Whether the candidate's log is good enough for the voter (paper 5.4.1). */
function isAtLeast({ log: own }: TestMember, { log: other }: TestMember): boolean {
  const ownTerm = own.termAt(own.lastIndex) ?? 0;
  const otherTerm = other.termAt(other.lastIndex) ?? 0;
  return ownTerm > otherTerm || (ownTerm === otherTerm && own.lastIndex >= other.lastIndex);
}

function fail(sentence: string): never {
  throw new Error(`After healing ${sentence}`);
}
