import { isJoint } from "../membership/configuration.ts";
import type { PeerMessage } from "../messages.ts";
import type { RaftCore } from "../raft-core.ts";
import type { ConfigurationChange, NodeId } from "../types.ts";
import { ClusterInvariants } from "./cluster-invariants.ts";
import { LEAVE_JOINT } from "./member-changes.ts";
import { MemberClocks } from "./member-clocks.ts";
import { drawChange } from "./random-change.ts";
import { type InFlight, RandomNetwork } from "./random-network.ts";
import { drawSetup, type EventKind, type RandomSetup, type RunTheme, STORMY, TICK_MS } from "./random-setup.ts";
import { SeededRandom } from "./seeded-random.ts";
import { TestMember } from "./test-member.ts";

export interface RandomRun {
  readonly seed: number;
  readonly theme: RunTheme;
}

/** Events on average. */
const STORM_EVENTS = 800;
const CALM_EVENTS = 400;
/** The slow member gets on with its work once when it could so many times. */
const SLOWNESS = 10;

/** What happened in one run, so that a test can tell that its faults and features really took place. */
export interface RunCounts {
  crashes: number;
  repairsBegun: number;
  repairsEnded: number;
  snapshotsInstalled: number;
  readsServed: number;
  changesApplied: number;
  transfersStarted: number;
  resignationsStarted: number;
}

/**
 * A cluster in which chance decides what happens next: a tick, a delivery (in any order, twice, or never), a disk or state machine
 * that gets on with one job, a proposal, a read, a change of members, a snapshot, a crash, a damaged disk, a cut link. All of it follows
 * from the seed.
 */
export class RandomCluster {
  readonly random: SeededRandom;
  readonly setup: RandomSetup;
  readonly members: readonly TestMember[];
  readonly invariants: ClusterInvariants;
  readonly network: RandomNetwork;
  readonly counts: RunCounts = {
    crashes: 0,
    repairsBegun: 0,
    repairsEnded: 0,
    snapshotsInstalled: 0,
    readsServed: 0,
    changesApplied: 0,
    transfersStarted: 0,
    resignationsStarted: 0,
  };
  private readonly clocks: MemberClocks | null;
  private readonly paused = new Set<NodeId>();
  private readonly weightTotal: number;
  private isStormy = false;
  private nextRequestId = 1;
  private nextPayload = 1;

  constructor(run: RandomRun) {
    this.random = new SeededRandom(run.seed * 7919);
    this.setup = drawSetup(run.theme, this.random);
    const { ids, configuration, options, priorities, weights, networkFaults } = this.setup;
    this.weightTotal = weights.reduce((sum, [, weight]) => sum + weight, 0);
    this.network = new RandomNetwork(this.random, networkFaults);
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
    if (this.random.oneIn(this.isStormy ? STORM_EVENTS : CALM_EVENTS)) this.changeWeather();
    let dice = this.random.below(this.weightTotal);
    for (const [kind, weight] of this.setup.weights) {
      dice -= weight;
      if (dice < 0) return this.act(STORMY.has(kind) && !this.isStormy ? "deliver" : kind);
    }
  }

  /** Time passes: a tick for one member, or as much of one for all if they have clocks. */
  tick(member: TestMember): void {
    if (this.clocks === null) return this.input(member, (core) => core.tick());
    this.clocks.advance((this.random.below(20) / 10) * (TICK_MS / this.members.length));
    this.tickDue(({ id }) => this.paused.has(id));
  }

  /** As much time passes as one tick takes, for everybody but those who stand still. */
  tickAll(isStill: (member: TestMember) => boolean = () => false): void {
    this.clocks?.advance(TICK_MS);
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

  resign(member: TestMember, successor: NodeId): void {
    const outcome = this.input(member, (core) => core.resignTo(successor));
    if (outcome.outcome === "started") this.counts.resignationsStarted++;
  }

  /** Power is cut anywhere between two jobs or in the middle of one. */
  crash(member: TestMember): void {
    this.counts.crashes++;
    if (member.isRepaired && this.random.oneIn(2)) member.storeRepairEnd();
    member.replaysAtStart = this.counts.crashes % 2 === 0;
    const torn = (["nothing", "vote", "snapshot"] as const)[this.random.below(3)];
    member.crash(this.random.below(member.appends.length + 1), this.random.oneIn(2), torn);
    this.clocks?.restart(member.id);
    this.invariants.restarted(member);
  }

  /** Power is cut, and what comes back is less than was acknowledged, or older. */
  damage(member: TestMember): void {
    this.counts.repairsBegun++;
    this.crash(member);
    const owed = member.damage({ undone: this.random.below(6), entriesKept: this.random.below(12) });
    this.invariants.damaged(member, owed);
  }

  /** Cores, disks, state machines and network work until nothing is left to do. */
  settle(): void {
    for (let round = 0; round < 2000; round++) {
      let isBusy = !this.network.isIdle;
      for (const member of this.members) {
        isBusy = this.collect(member) || isBusy;
        while (member.appends.length > 0) this.write(member);
        while (member.applies.length > 0) this.apply(member);
        if (member.isRepaired) this.endRepair(member);
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

  private changeWeather(): void {
    this.isStormy = !this.isStormy;
    if (this.isStormy) return;
    this.network.heal();
    this.paused.clear();
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
      case "write": {
        const repaired = this.members.find(({ isRepaired }) => isRepaired);
        if (repaired !== undefined && random.oneIn(2)) return this.endRepair(repaired);
        return this.write(this.pickAwake(({ id, appends }) => appends.length > 0 && this.isReady(id)) ?? member);
      }
      case "apply":
        // As often as anything is applied, for want of a moment of its own.
        if (this.setup.options.commitMayWait === true) this.input(member, (core) => core.tellCommit());
        return this.apply(this.pickAwake(({ id, applies }) => applies.length > 0 && this.isReady(id)) ?? member);
      case "propose":
        return void this.propose(this.oftenLeader(member));
      case "read":
        return void this.read(this.oftenLeader(member));
      case "snapshot":
        return this.input(member, () => member.takeSnapshot(random.below(4)));
      case "crash":
        return this.crash(member);
      case "damage":
        return this.mayDamage(member) ? this.damage(member) : undefined;
      case "cutLink":
        return network.cut(member.id, this.pick().id);
      case "isolate":
        return this.part(new Set([this.oftenLeader(member).id]));
      case "partition":
        return this.part(new Set(this.setup.ids.filter(() => random.oneIn(2))));
      case "usurp":
        return this.usurp();
      case "campaign":
        return void this.input(member, (core) => core.campaign());
      case "unreachable":
        return this.input(member, (core) => core.reportUnreachable(this.pick().id));
      case "change": {
        const proposer = this.oftenLeader(member);
        return this.change(proposer, drawChange(random, this.setup.ids, proposer.core.configuration));
      }
      case "leaveJoint": {
        const proposer = this.oftenLeader(member);
        return isJoint(proposer.core.configuration) ? this.change(proposer, LEAVE_JOINT) : undefined;
      }
      case "transfer":
        return this.transfer(this.oftenLeader(member), this.pick().id);
      case "resign":
        return this.resign(this.oftenLeader(member), this.pick().id);
      case "hint":
        return void this.input(member, (core) => (random.oneIn(2) ? core.leaderSilent() : core.peerDown(this.pick().id)));
      case "forgetLeader":
        return this.input(member, (core) => core.forgetLeader());
      case "pause":
        return this.pause(this.oftenLeader(member));
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

  private endRepair(member: TestMember): void {
    this.counts.repairsEnded++;
    this.input(member, () => member.endRepair());
  }

  /** Whether the others stay a majority that can elect and commit. */
  private mayDamage(member: TestMember): boolean {
    const { voters, outgoing } = member.core.configuration;
    const smallest = Math.min(voters.length, outgoing.length === 0 ? voters.length : outgoing.length);
    const damaged = this.members.filter((other) => other === member || other.core.isUnderRepair);
    return this.setup.mayDamageMajority || 2 * damaged.length < smallest;
  }

  private post(from: TestMember, messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      this.invariants.messageLeft(message);
      if (message.type === "installSnapshot" && message.snapshot.index + 1 < from.core.status().firstIndex)
        this.renewSnapshot(from, message);
      else this.network.post({ message, state: from.stateFor(message) });
    }
  }

  /** The log begins behind the newest snapshot: who got that one would lack what is between. The core asks again. */
  private renewSnapshot(sender: TestMember, { to }: PeerMessage): void {
    this.input(sender, () => sender.takeSnapshot(0));
    this.input(sender, (core) => core.reportSnapshot(to, false));
  }

  private deliver(): void {
    for (const lost of this.network.overflow()) this.lose(lost.message);
    const drawn = this.network.draw();
    if (drawn === undefined) return this.act(this.members.some(({ appends }) => appends.length > 0) ? "write" : "tick");
    const { inFlight, isLost } = drawn;
    if (isLost) return this.lose(inFlight.message);
    if (this.paused.has(inFlight.message.to)) return this.network.post(inFlight);
    this.arrive(inFlight);
    const receiver = this.member(inFlight.message.to);
    if (!this.random.oneIn(4)) this.collect(receiver);
  }

  private arrive({ message, state }: InFlight): void {
    const receiver = this.member(message.to);
    const { term } = receiver.core;
    this.input(receiver, () => receiver.receive(message, state));
    const isMoved = message.type === "requestPreVote" && receiver.core.term !== term;
    if (isMoved) throw new Error(`The pre-vote of member ${message.from} moved member ${message.to} to term ${receiver.core.term}`);
    if (message.type === "installSnapshot") this.input(this.member(message.from), (core) => core.reportSnapshot(message.to, true));
  }

  /** The transport always tells how a snapshot fared, and sometimes notices other losses. */
  private lose(message: PeerMessage): void {
    const sender = this.member(message.from);
    if (message.type === "installSnapshot") this.input(sender, (core) => core.reportSnapshot(message.to, false));
    else if (this.random.oneIn(5)) this.input(sender, (core) => core.reportUnreachable(message.to));
  }

  /** Those named and the others hear nothing of each other. Whatever was cut before is healed, or soon nobody could hear anybody. */
  private part(ids: ReadonlySet<NodeId>): void {
    this.network.heal();
    for (const one of ids) {
      for (const other of this.setup.ids.filter((id) => !ids.has(id))) {
        this.network.cut(one, other);
        this.network.cut(other, one);
      }
    }
  }

  private pick(): TestMember {
    return this.member(1 + this.random.below(this.members.length));
  }

  /** Only so many stand still at once that the others could go on. */
  private pause(member: TestMember): void {
    if (2 * (this.paused.size + 1) >= this.members.length) this.paused.clear();
    this.paused.add(member.id);
  }

  /** All leaders stand still, often cut off, for so long that the others lose patience with them. */
  private usurp(): void {
    const leaders = new Set(this.leaders);
    if (this.random.oneIn(2)) this.part(new Set([...leaders].map(({ id }) => id)));
    for (let tick = 0; tick < this.setup.options.electionTicks; tick++) {
      this.tickAll((member) => leaders.has(member) || this.paused.has(member.id));
    }
  }

  private isReady(id: NodeId): boolean {
    return id !== this.setup.slowId || this.random.oneIn(SLOWNESS);
  }

  /** Any member for which it holds and that does not stand still. */
  private pickAwake(holds: (member: TestMember) => boolean): TestMember | undefined {
    const { members, paused, random } = this;
    const start = random.below(members.length);
    const inTurn = [...members.slice(start), ...members.slice(0, start)];
    return inTurn.find((member) => !paused.has(member.id) && holds(member));
  }

  /** One that leads, or believes so, if it is awake; otherwise `member`. */
  private oftenLeader(member: TestMember): TestMember {
    if (this.random.oneIn(4)) return member;
    return this.pickAwake(({ core }) => core.role === "leader") ?? member;
  }
}
