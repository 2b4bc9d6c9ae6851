import type { NodeId, PeerMessage } from "../types.ts";
import { Invariants } from "./invariants.ts";
import { SeededRandom } from "./seeded-random.ts";
import { TestMember } from "./test-member.ts";

const ELECTION_TICKS = 6;
/** Messages under way; with more, chance removes some. */
const WIRE_MAX = 40;

export interface RandomRun {
  readonly seed: number;
  readonly size: number;
}

interface InFlight {
  readonly message: PeerMessage;
  readonly state: number;
}

/** What happened in one run, so that a test can tell that its faults really took place. */
export interface RunReport {
  readonly committed: number;
  readonly crashes: number;
  readonly snapshotsInstalled: number;
  readonly readsServed: number;
  readonly termsLed: number;
}

/**
 * A cluster in which chance decides what happens next: a tick, a delivery (in any order, twice, or never), a disk or state machine
 * that gets on with one job, a proposal, a read, a snapshot, a crash, a cut link. All of it follows from the seed.
 */
export class RandomCluster {
  private readonly random: SeededRandom;
  private readonly members: readonly TestMember[];
  private readonly invariants: Invariants;
  private wire: InFlight[] = [];
  private readonly cutLinks = new Set<string>();
  private readonly leadersSeen = new Set<number>();
  private isFaulty = true;
  private nextRequestId = 1;
  private nextPayload = 1;
  private crashes = 0;
  private snapshotsInstalled = 0;

  constructor(run: RandomRun) {
    this.random = new SeededRandom(run.seed * 7919 + run.size);
    const voters = Array.from({ length: run.size }, (_, place) => place + 1);
    const appendBytesMax = 1 + this.random.below(40);
    const limits = {
      appendBytesMax,
      inflightBytesMax: appendBytesMax + this.random.below(100),
      inflightMessagesMax: 1 + this.random.below(4),
      uncommittedBytesMax: 20 + this.random.below(400),
      applyBytesMax: 1 + this.random.below(60),
    };
    this.members = voters.map(
      (id) =>
        new TestMember({
          options: { id, electionTicks: ELECTION_TICKS, heartbeatTicks: 1 + this.random.below(2), ...limits },
          configuration: { voters },
          random: this.random,
        }),
    );
    this.invariants = new Invariants(this.members);
  }

  /** Runs `events` faulty events, then heals everything and demands that the cluster comes to life. */
  run(events: number): RunReport {
    let event = 0;
    try {
      for (; event < events; event++) this.happen();
      this.recover();
    } catch (reason) {
      const what = reason instanceof Error ? reason.message : String(reason);
      throw new Error(`event ${event}: ${what}`, { cause: reason });
    }
    return {
      committed: this.invariants.committedTo,
      crashes: this.crashes,
      snapshotsInstalled: this.snapshotsInstalled,
      readsServed: this.members.reduce((sum, member) => sum + member.reads.filter((read) => "index" in read).length, 0),
      termsLed: this.leadersSeen.size,
    };
  }

  private happen(): void {
    const member = this.pick();
    const dice = this.random.below(1000);
    if (dice < 90) member.core.tick();
    else if (dice < 570) this.deliverAny();
    else if (dice < 720) this.write(member);
    else if (dice < 830) member.apply();
    else if (dice < 890) this.propose(member);
    else if (dice < 930) this.read(member);
    else if (dice < 950) member.takeSnapshot(this.random.below(4));
    else if (dice < 953) this.crash(member);
    else if (dice < 957) this.cutLinks.add(`${member.id}>${this.pick().id}`);
    else if (dice < 960) this.isolate(member);
    else if (dice < 967) this.cutLinks.clear();
    else if (dice < 970) member.core.campaign();
    else if (dice < 980) member.core.reportUnreachable(this.pick().id);
    else this.deliverAny();
    if (!this.random.oneIn(4)) this.collect(member);
  }

  private pick(): TestMember {
    return this.memberOf(1 + this.random.below(this.members.length));
  }

  private memberOf(id: NodeId): TestMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`Member ${id} is not in the cluster`);
    return member;
  }

  private collect(member: TestMember): boolean {
    const ready = member.collect();
    this.invariants.check(member, ready);
    if (member.core.role === "leader") this.leadersSeen.add(member.core.term);
    if (ready !== undefined) this.post(member, ready.messages);
    return ready !== undefined;
  }

  private write(member: TestMember): void {
    if (member.appends[0]?.snapshot) this.snapshotsInstalled++;
    this.post(member, member.write());
  }

  private propose(member: TestMember): boolean {
    const count = 1 + this.random.below(3);
    const payloads = Array.from({ length: count }, () => new Uint8Array(this.random.below(12)).fill(this.nextPayload++));
    return member.core.propose(payloads).outcome !== "dropped";
  }

  /** Nobody hears this member and it hears nobody. Messages under way still arrive. */
  private isolate(member: TestMember): void {
    for (const other of this.members) this.cutLinks.add(`${member.id}>${other.id}`).add(`${other.id}>${member.id}`);
  }

  private read(member: TestMember): void {
    const requestId = this.nextRequestId++;
    this.invariants.readAsked(member, requestId);
    member.core.readIndex(requestId);
  }

  private crash(member: TestMember): void {
    this.crashes++;
    member.crash(this.random.below(member.appends.length + 1), this.random.oneIn(2));
    this.invariants.restarted(member);
  }

  private post(from: TestMember, messages: readonly PeerMessage[]): void {
    this.invariants.messagesLeft(messages);
    for (const message of messages) this.wire.push({ message, state: from.stateFor(message) });
    while (this.isFaulty && this.wire.length > WIRE_MAX) {
      for (const lost of this.wire.splice(this.random.below(this.wire.length), 1)) this.lose(lost.message);
    }
  }

  /** Any message may be the next; one in ten is delivered and stays under way, one in ten is lost. */
  private deliverAny(): void {
    const place = this.random.below(Math.max(1, this.wire.length));
    const inFlight = this.wire[place];
    if (inFlight === undefined) return;
    const isRepeated = this.random.oneIn(10);
    if (!isRepeated) this.wire.splice(place, 1);
    const isLost = this.random.oneIn(10) || this.cutLinks.has(`${inFlight.message.from}>${inFlight.message.to}`);
    this.arrive(inFlight, isLost && this.isFaulty);
  }

  private arrive({ message, state }: InFlight, isLost: boolean): void {
    const receiver = this.memberOf(message.to);
    if (isLost) return this.lose(message);
    receiver.receive(message, state);
    if (message.type === "installSnapshot") this.memberOf(message.from).core.reportSnapshot(message.to, true);
    if (!this.random.oneIn(4)) this.collect(receiver);
  }

  /** The transport always tells how a snapshot fared, and sometimes notices other losses. */
  private lose(message: PeerMessage): void {
    const sender = this.memberOf(message.from).core;
    if (message.type === "installSnapshot") sender.reportSnapshot(message.to, false);
    else if (this.random.oneIn(5)) sender.reportUnreachable(message.to);
  }

  /** No more faults: within bounded time there is one leader, everything commits everywhere, and every read has an answer. */
  private recover(): void {
    this.isFaulty = false;
    this.cutLinks.clear();
    for (const member of this.members) if (this.random.oneIn(4)) this.crash(member);
    for (let tick = 0; tick < 60 * ELECTION_TICKS; tick++) {
      for (const member of this.members) if (!this.random.oneIn(3)) member.core.tick();
      this.settle();
      if (tick > 10 * ELECTION_TICKS && this.isCalm()) break;
    }
    const leaders = this.members.filter((member) => member.core.role === "leader");
    if (leaders.length !== 1 || leaders[0] === undefined) throw new Error(`There are ${leaders.length} leaders after healing`);
    if (!this.propose(leaders[0])) throw new Error("A proposal was dropped after healing");
    for (const member of this.members) this.read(member);
    for (let tick = 0; tick < 4 * ELECTION_TICKS; tick++) {
      for (const member of this.members) member.core.tick();
      this.settle();
    }
    for (const member of this.members) {
      const { commit, lastIndex, appliedIndex } = member.core;
      const last = leaders[0].core.lastIndex;
      if (commit !== last || lastIndex !== last || appliedIndex !== last) {
        throw new Error(`Member ${member.id} stands at ${appliedIndex}/${commit}/${lastIndex} of ${last} after healing`);
      }
    }
    if (this.invariants.unansweredReads > 0) throw new Error(`${this.invariants.unansweredReads} reads were never answered`);
  }

  private isCalm(): boolean {
    const leaders = this.members.filter((member) => member.core.role === "leader");
    return leaders.length === 1 && this.members.every((member) => member.core.commit === leaders[0]?.core.lastIndex);
  }

  private settle(): void {
    for (let round = 0; round < 2000; round++) {
      let isBusy = this.wire.length > 0;
      for (const member of this.members) {
        isBusy = this.collect(member) || isBusy;
        while (member.appends.length > 0) this.write(member);
        while (member.applies.length > 0) member.apply();
      }
      if (!isBusy) return;
      for (const inFlight of this.wire.splice(0)) this.arrive(inFlight, false);
    }
    throw new Error("The cluster never came to rest");
  }
}
