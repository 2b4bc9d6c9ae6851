import { votersOnly } from "../membership/configuration.ts";
import type { PeerMessage } from "../messages.ts";
import type { CoreOptions } from "../options.ts";
import type { Configuration, LogEntry, NodeId } from "../types.ts";
import { SeededRandom } from "./seeded-random.ts";
import { TestMember } from "./test-member.ts";

export type MessageFilter = (message: PeerMessage) => boolean;

export interface ClusterSetup {
  /** Members 1 to `size`. */
  readonly size: number;
  /** What they all start with. Default: everybody is a voter. */
  readonly configuration?: Configuration;
  readonly options?: Partial<CoreOptions>;
  /** What differs at single members, by id. */
  readonly optionsOf?: Readonly<Record<NodeId, Partial<CoreOptions>>>;
  readonly seed?: number;
  /** Terms of the entries each member starts with, by id. */
  readonly terms?: Readonly<Record<NodeId, readonly number[]>>;
  /** Current term of each member at its start; by default that of its last entry. */
  readonly term?: number;
}

export const ELECTION_TICKS = 10;

/** A log whose entries have these terms, from index 1. */
export function entriesOf(terms: readonly number[], first = 1): readonly LogEntry[] {
  return terms.map((term, place) => ({ index: first + place, term, kind: "command", data: new Uint8Array([term, place]) }));
}

/** Several members and a network that delivers in order, loses what the filter says, and works only when it is asked to. */
export class TestCluster {
  readonly members: readonly TestMember[];
  /** Every message that was sent, delivered or not, in order. */
  readonly sent: PeerMessage[] = [];
  /** Messages for which it answers false are lost. */
  passes: MessageFilter = () => true;
  private readonly wire: { readonly message: PeerMessage; readonly state: number }[] = [];

  constructor(setup: ClusterSetup) {
    const ids = Array.from({ length: setup.size }, (_, place) => place + 1);
    const random = new SeededRandom(setup.seed ?? 1);
    this.members = ids.map((id) => {
      const terms = setup.terms?.[id] ?? [];
      return new TestMember({
        options: { electionTicks: ELECTION_TICKS, heartbeatTicks: 1, ...setup.options, ...setup.optionsOf?.[id], id },
        configuration: setup.configuration ?? votersOnly(ids),
        random,
        hardState: { term: setup.term ?? terms[terms.length - 1] ?? 0, vote: 0, commit: 0 },
        entries: entriesOf(terms),
      });
    });
  }

  member(id: NodeId): TestMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`Member ${id} is not in the cluster`);
    return member;
  }

  /** Lets member `id` campaign and everybody answer. A leader that they still stand by is forgotten first. */
  elect(id: NodeId): void {
    for (const member of this.members) member.core.forgetLeader();
    while (this.member(id).core.campaign() === "loyal") for (const { core } of this.members) core.tick();
    this.settle();
  }

  propose(id: NodeId, ...texts: readonly string[]): void {
    this.member(id).core.propose(texts.map(payload));
    this.settle();
  }

  tick(id: NodeId, times = 1): void {
    for (let i = 0; i < times; i++) this.member(id).core.tick();
  }

  /** Works until nothing is left: cores, disks, state machines, network. */
  settle(): void {
    for (let round = 0; round < 10_000; round++) {
      let isBusy = false;
      for (const member of this.members) isBusy = this.work(member) || isBusy;
      isBusy = this.deliverAll() || isBusy;
      if (!isBusy) return;
    }
    throw new Error("The cluster never came to rest");
  }

  /** One Ready of `member`, with disk and state machine done at once. True if there was one. */
  work(member: TestMember): boolean {
    const ready = member.collect();
    if (ready !== undefined) this.post(member, ready.messages);
    while (member.appends.length > 0) this.post(member, member.write());
    while (member.applies.length > 0) member.apply();
    if (member.isRepaired) member.endRepair();
    return ready !== undefined;
  }

  post(from: TestMember, messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      this.sent.push(message);
      if (this.passes(message)) this.wire.push({ message, state: from.stateFor(message) });
    }
  }

  deliverAll(): boolean {
    const waiting = this.wire.splice(0);
    for (const { message, state } of waiting) this.member(message.to).receive(message, state);
    return waiting.length > 0;
  }

  /** Cuts the members off from all others. */
  isolate(...ids: readonly NodeId[]): void {
    this.passes = (message) => ids.includes(message.from) === ids.includes(message.to);
  }

  heal(): void {
    this.passes = () => true;
  }
}

export function payload(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
