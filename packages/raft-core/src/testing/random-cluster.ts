import { isJoint } from "../membership/configuration.ts";
import type { PeerMessage } from "../messages.ts";
import type { RaftCore } from "../raft-core.ts";
import type { ConfigurationChange, NodeId } from "../types.ts";
import { ClusterInvariants } from "./cluster-invariants.ts";
import { MemberClocks } from "./member-clocks.ts";
import { drawChange, LEAVE_JOINT } from "./random-change.ts";
import { type InFlight, RandomNetwork } from "./random-network.ts";
import { drawSetup, type EventKind, type RandomSetup, type RunTheme } from "./random-setup.ts";
import { SeededRandom } from "./seeded-random.ts";
import { TestMember } from "./test-member.ts";

export interface RandomRun {
  readonly seed: number;
  readonly theme: RunTheme;
}

/** What happened in one run, so that a test can tell that its faults and features really took place. */
export interface RunCounts {
  crashes: number;
  snapshotsInstalled: number;
  readsServed: number;
  changesApplied: number;
  transfersStarted: number;
  leaseReads: number;
}

/**
 * A cluster in which chance decides what happens next: a tick, a delivery (in any order, twice, or never), a disk or state machine
 * that gets on with one job, a proposal, a read, a change of members, a snapshot, a crash, a cut link. All of it follows from the seed.
 */
export class RandomCluster {
  readonly random: SeededRandom;
  readonly setup: RandomSetup;
  readonly members: readonly TestMember[];
  readonly invariants: ClusterInvariants;
  readonly network: RandomNetwork;
  readonly counts: RunCounts = {
    crashes: 0,
    snapshotsInstalled: 0,
    readsServed: 0,
    changesApplied: 0,
    transfersStarted: 0,
    leaseReads: 0,
  };
  private readonly clocks: MemberClocks | null;
  private readonly paused = new Set<NodeId>();
  private readonly weightTotal: number;
  private nextRequestId = 1;
  private nextPayload = 1;

  constructor(run: RandomRun) {
    this.random = new SeededRandom(run.seed * 7919);
    this.setup = drawSetup(run.theme, this.random);
    const { ids, configuration, options, priorities, weights } = this.setup;
    this.weightTotal = weights.reduce((sum, [, weight]) => sum + weight, 0);
    this.network = new RandomNetwork(this.random);
    const leases = options.leaseReads ?? null;
    this.clocks = leases === null ? null : new MemberClocks(ids, leases, this.random);
    this.members = ids.map((id, place) => {
      const own = { ...options, id, priority: priorities[place] ?? 0 };
      return new TestMember({ options: own, configuration, random: this.random });
    });
    this.invariants = new ClusterInvariants(this.members);
  }

  get leaders(): readonly TestMember[] {
    return this.members.filter((member) => member.core.role === "leader");
  }

  member(id: NodeId): TestMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`Member ${id} is not in the cluster`);
    return member;
  }

  /** Something happens. */
  happen(): void {
    let dice = this.random.below(this.weightTotal);
    for (const [kind, weight] of this.setup.weights) {
      dice -= weight;
      if (dice < 0) return this.act(kind);
    }
  }

  /** Time passes: for one member, or for all if they have clocks. */
  tick(member: TestMember): void {
    if (this.clocks === null) return this.input(member, (core) => core.tick());
    this.clocks.advance(this.random.below(15));
    this.tickDue(({ id }) => this.paused.has(id));
  }

  /** As much time passes as one tick takes, for everybody but those who stand still. */
  tickAll(isStill: (member: TestMember) => boolean = () => false): void {
    this.clocks?.advance(this.setup.options.leaseReads?.tickMs ?? 0);
    if (this.clocks !== null) this.tickDue(isStill);
    else for (const member of this.members) if (!isStill(member)) this.input(member, (core) => core.tick());
  }

  propose(member: TestMember): boolean {
    const count = 1 + this.random.below(3);
    const payloads = Array.from({ length: count }, () => new Uint8Array(this.random.below(12)).fill(this.nextPayload++));
    const { lastIndex } = member.core;
    const outcome = this.input(member, (core) => core.propose(payloads));
    const isTrue = outcome.outcome !== "accepted" || (outcome.firstIndex === lastIndex + 1 && outcome.lastIndex === lastIndex + count);
    if (!isTrue) throw new Error(`Member ${member.id} accepted ${count} entries after ${lastIndex} as ${JSON.stringify(outcome)}`);
    return outcome.outcome !== "dropped";
  }

  /** The number by which `member.reads` will know it. */
  read(member: TestMember): number {
    const requestId = this.nextRequestId++;
    this.invariants.readAsked(member, requestId);
    this.input(member, (core) => core.readIndex(requestId));
    return requestId;
  }

  change(member: TestMember, change: ConfigurationChange): void {
    this.input(member, (core) => core.proposeChange(change));
  }

  transfer(member: TestMember, target: NodeId): void {
    const outcome = this.input(member, (core) => core.transferLeadership(target));
    if (outcome.outcome === "started") this.counts.transfersStarted++;
  }

  /** Power is cut anywhere between two jobs or in the middle of one. */
  crash(member: TestMember): void {
    this.counts.crashes++;
    const torn = (["nothing", "vote", "snapshot"] as const)[this.random.below(3)];
    member.crash(this.random.below(member.appends.length + 1), this.random.oneIn(2), torn);
    this.clocks?.restart(member.id);
    this.invariants.restarted(member);
  }

  /** Cores, disks, state machines and network work until nothing is left to do. */
  settle(): void {
    for (let round = 0; round < 2000; round++) {
      let isBusy = !this.network.isIdle;
      for (const member of this.members) {
        isBusy = this.collect(member) || isBusy;
        while (member.appends.length > 0) this.write(member);
        while (member.applies.length > 0) this.apply(member);
      }
      if (!isBusy) return;
      for (const inFlight of this.network.drawAll()) this.arrive(inFlight);
    }
    throw new Error("The cluster never came to rest");
  }

  /** No more faults from now on. */
  heal(): void {
    this.network.becomeReliable();
    this.paused.clear();
    for (const member of this.members) if (this.random.oneIn(4)) this.crash(member);
  }

  private act(kind: EventKind): void {
    const member = this.pick();
    if (kind === "heal") return this.network.heal();
    if (kind === "deliver") return this.deliver();
    if (kind === "resume") return void this.paused.delete(member.id);
    if (kind === "tick" && this.clocks !== null) return this.tick(member);
    if (this.paused.has(member.id)) return;
    this.actAt(member, kind);
    if (!this.random.oneIn(4)) this.collect(member);
  }

  private actAt(member: TestMember, kind: Exclude<EventKind, "heal" | "deliver" | "resume">): void {
    const { random, network } = this;
    switch (kind) {
      case "tick":
        return this.tick(member);
      case "write":
        return this.write(member);
      case "apply":
        return this.apply(member);
      case "propose":
        return void this.propose(member);
      case "read":
        return void this.read(member);
      case "snapshot":
        return this.input(member, () => member.takeSnapshot(random.below(4)));
      case "crash":
        return this.crash(member);
      case "cutLink":
        return network.cut(member.id, this.pick().id);
      case "isolate":
        return this.isolate(member);
      case "campaign":
        return void this.input(member, (core) => core.campaign());
      case "unreachable":
        return this.input(member, (core) => core.reportUnreachable(this.pick().id));
      case "change": {
        const proposer = this.pickLeaderOr(member);
        return this.change(proposer, drawChange(random, this.setup.ids, proposer.core.configuration));
      }
      case "leaveJoint": {
        const proposer = this.pickLeaderOr(member);
        return isJoint(proposer.core.configuration) ? this.change(proposer, LEAVE_JOINT) : undefined;
      }
      case "transfer":
        return this.transfer(random.oneIn(3) ? member : this.pickLeaderOr(member), this.pick().id);
      case "hint":
        return void this.input(member, (core) => (random.oneIn(2) ? core.leaderSilent() : core.peerDown(this.pick().id)));
      case "forgetLeader":
        return this.input(member, (core) => core.forgetLeader());
      case "pause":
        return void this.paused.add(member.id);
    }
  }

  /** Whatever a driver tells its core, it tells it the time before. Afterwards everything still has to be right. */
  private input<Outcome>(member: TestMember, action: (core: RaftCore) => Outcome): Outcome {
    if (this.clocks !== null) member.core.observeTime(this.clocks.read(member.id));
    const outcome = action(member.core);
    this.invariants.check(member);
    return outcome;
  }

  private tickDue(isStill: (member: TestMember) => boolean): void {
    for (const member of this.members) {
      if (isStill(member) || this.clocks?.takeTick(member.id) !== true) continue;
      this.input(member, (core) => core.tick());
      if (!this.random.oneIn(4)) this.collect(member);
    }
  }

  private collect(member: TestMember): boolean {
    const ready = this.input(member, () => member.collect());
    if (ready === undefined) return false;
    this.post(member, ready.messages);
    for (const read of ready.reads) {
      this.invariants.readAnswered(member, read);
      if ("index" in read) this.counts.readsServed++;
    }
    return true;
  }

  private write(member: TestMember): void {
    if (member.appends[0]?.snapshot) this.counts.snapshotsInstalled++;
    this.post(
      member,
      this.input(member, () => member.write()),
    );
  }

  private apply(member: TestMember): void {
    const before = member.configuration;
    this.input(member, () => member.apply());
    if (member.configuration !== before) this.counts.changesApplied++;
  }

  private post(from: TestMember, messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      this.invariants.messageLeft(message);
      this.network.post({ message, state: from.stateFor(message) });
    }
  }

  private deliver(): void {
    for (const lost of this.network.overflow()) this.lose(lost.message);
    const drawn = this.network.draw();
    if (drawn === undefined) return;
    const { inFlight, isLost } = drawn;
    if (isLost) return this.lose(inFlight.message);
    if (this.paused.has(inFlight.message.to)) return this.network.post(inFlight);
    this.arrive(inFlight);
    const receiver = this.member(inFlight.message.to);
    if (!this.random.oneIn(4)) this.collect(receiver);
  }

  private arrive({ message, state }: InFlight): void {
    const receiver = this.member(message.to);
    this.input(receiver, () => receiver.receive(message, state));
    if (message.type === "installSnapshot") this.input(this.member(message.from), (core) => core.reportSnapshot(message.to, true));
  }

  /** The transport always tells how a snapshot fared, and sometimes notices other losses. */
  private lose(message: PeerMessage): void {
    const sender = this.member(message.from);
    if (message.type === "installSnapshot") this.input(sender, (core) => core.reportSnapshot(message.to, false));
    else if (this.random.oneIn(5)) this.input(sender, (core) => core.reportUnreachable(message.to));
  }

  /** Nobody hears this member and it hears nobody. Messages under way still arrive. */
  private isolate(member: TestMember): void {
    for (const other of this.members) {
      this.network.cut(member.id, other.id);
      this.network.cut(other.id, member.id);
    }
  }

  private pick(): TestMember {
    return this.member(1 + this.random.below(this.members.length));
  }

  private pickLeaderOr(member: TestMember): TestMember {
    const { leaders } = this;
    return leaders[this.random.below(Math.max(1, leaders.length))] ?? member;
  }
}
