import fc from "fast-check";
import { TERM_MAX } from "../message-check.ts";
import type { PeerMessage } from "../messages.ts";
import type { CoreOptions } from "../options.ts";
import type { LogEntry, LogIndex, NodeId, RoleName, StepRejection, Term } from "../types.ts";
import { type HostileMessage, hostileMessage, messageOf } from "./hostile-message.ts";
import { addVoter, changeOf } from "./member-changes.ts";
import { EMPTY_HISTORY, type HistoryHash } from "./shadow-log.ts";
import { grants, soloMember } from "./solo-member.ts";
import { ELECTION_TICKS } from "./test-cluster.ts";
import type { TestMember } from "./test-member.ts";

export type HostileEvent =
  | HostileMessage
  | {
      readonly kind:
        | "tick"
        | "collect"
        | "write"
        | "apply"
        | "campaign"
        | "propose"
        | "read"
        | "change"
        | "transfer"
        | "resign"
        | "hint"
        | "forgetLeader"
        | "unreachable"
        | "restart"
        | "release"
        | "endRepair"
        | "win"
        | "settle";
    }
  | { readonly kind: "snapshot"; readonly trailing: number };

export interface HostileStart {
  readonly size: number;
  readonly terms: readonly Term[];
  /** Term it starts in, if that of the last entry is lower. */
  readonly term: Term;
  readonly commit: LogIndex;
  readonly seed: number;
  /** It begins under repair. */
  readonly isDamaged: boolean;
  readonly options: Partial<CoreOptions>;
}

export type HostileRunReport = readonly { readonly role: RoleName; readonly outcome: StepRejection | "taken" }[];

const deed = fc.constantFrom(
  "tick",
  "tick",
  "collect",
  "collect",
  "write",
  "write",
  "apply",
  "campaign",
  "propose",
  "read",
  "change",
  "transfer",
  "resign",
  "hint",
  "forgetLeader",
  "unreachable",
  "restart",
  "release",
  "endRepair",
  "win",
  "win",
  "win",
  "settle",
);

export const hostileEvent: fc.Arbitrary<HostileEvent> = fc.oneof(
  { weight: 12, arbitrary: hostileMessage },
  { weight: 8, arbitrary: deed.map((kind) => ({ kind }) as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("snapshot" as const), trailing: fc.nat(2) }) },
);

export const hostileStart: fc.Arbitrary<HostileStart> = fc.record({
  size: fc.constantFrom(1, 2, 3, 3, 5),
  terms: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 8 }).map((terms) => terms.sort((a, b) => a - b)),
  term: fc.constantFrom(...Array.from({ length: 20 }, (_, place) => place % 6), TERM_MAX - 2, Number.MAX_SAFE_INTEGER),
  commit: fc.nat(8),
  seed: fc.nat(),
  isDamaged: fc.constantFrom(false, false, false, true),
  options: fc.record({
    preVote: fc.boolean(),
    checkQuorum: fc.constant(true),
    leaseReads: fc.constantFrom(null, null, { driftPpm: 100, tickMs: 10 }),
    adaptiveWindow: fc.boolean(),
    priority: fc.constantFrom(0, 0, 1),
  }),
});

/** Member 1 among peers that say anything at all, while its own driver keeps every promise. */
export class HostileRun {
  private readonly member: TestMember;
  private readonly votes = new Map<Term, NodeId>();
  /** Hash of the history at each index that was committed. */
  private readonly committed = new Map<LogIndex, HistoryHash>();
  /** Hash of the history by index and term of its last entry. */
  private readonly histories = new Map<string, HistoryHash>();
  private isConfused = false;
  private term: Term;
  private commit: LogIndex;
  private nextRequestId = 1;

  constructor(start: HostileStart) {
    const term = Math.max(start.term, start.terms[start.terms.length - 1] ?? 0);
    this.member = soloMember({
      ...start,
      term,
      options: { ...start.options, appendBytesMax: 4, inflightBytesMax: 8, inflightMessagesMax: 2, applyBytesMax: 8 },
    });
    for (const entry of this.member.disk.entries) this.noteHistory(entry);
    this.term = this.member.core.term;
    this.commit = this.member.core.commit;
    this.check();
  }

  play(events: readonly HostileEvent[]): HostileRunReport {
    const report: { role: RoleName; outcome: StepRejection | "taken" }[] = [];
    for (const event of events) {
      if (event.kind === "message") report.push({ role: this.member.core.role, outcome: this.step(messageOf(this.member, event)) });
      else this.act(event);
      this.checkCounters();
    }
    this.settle();
    this.restart();
    this.settle();
    return report;
  }

  private step(message: PeerMessage): StepRejection | "taken" {
    const { core } = this.member;
    const before = core.status();
    const rejection = message.type === "installSnapshot" ? this.member.receiveSnapshot(message, EMPTY_HISTORY) : core.step(message);
    if (rejection === null) return "taken";
    const { quarantine, commit, lastIndex, applied } = core.status();
    if (quarantine === null) {
      ensure(JSON.stringify(core.status()) === JSON.stringify(before), `a message refused as ${rejection} changes nothing`);
    } else {
      const isKept = commit === before.commit && lastIndex === before.lastIndex && applied === before.applied;
      ensure(isKept, `a message refused as ${rejection} leaves the log of a member that it takes out as it was`);
    }
    return rejection;
  }

  private act(event: Exclude<HostileEvent, HostileMessage>): void {
    const { member } = this;
    switch (event.kind) {
      case "tick":
        return member.core.tick();
      case "collect":
        return void this.collect();
      case "write":
        return void this.write();
      case "apply":
        return member.apply();
      case "campaign":
        return void member.core.campaign();
      case "propose":
        member.core.propose([new Uint8Array(3), new Uint8Array(2)]);
        return;
      case "read":
        return member.core.readIndex(this.nextRequestId++);
      case "change":
        return void member.core.proposeChange(changeOf(addVoter(4)));
      case "transfer":
        return void member.core.transferLeadership(2);
      case "resign":
        return void member.core.resignTo(2);
      case "hint":
        return void member.core.peerDown(2);
      case "forgetLeader":
        return member.core.forgetLeader();
      case "unreachable":
        return member.core.reportUnreachable(2);
      case "restart":
        return this.restart();
      case "release":
        member.releaseFromQuarantine();
        return this.restarted();
      case "endRepair":
        if (member.isRepaired) member.endRepair();
        return;
      case "win":
        return this.win();
      case "settle":
        return void this.settle();
      case "snapshot":
        this.collect();
        return member.takeSnapshot(event.trailing);
    }
  }

  private collect(): readonly PeerMessage[] {
    const ready = this.member.collect();
    if (ready === undefined) return [];
    this.messagesLeft(ready.messages);
    for (const entry of ready.append?.entries ?? []) this.noteHistory(entry);
    for (const { index } of ready.apply?.entries ?? []) {
      const { disk, log } = this.member;
      const isDurable = index <= disk.baseIndex || disk.hashAt(index) === log.hashAt(index);
      ensure(isDurable || this.isConfused, `index ${index} is durable before it is applied`);
    }
    for (const { type, to } of ready.messages) if (type === "installSnapshot") this.member.core.reportSnapshot(to, to === 2);
    this.check();
    return ready.messages;
  }

  /** Honest peers vote for this member, so that hostile ones meet a leader. */
  private win(): void {
    const { core } = this.member;
    core.campaign();
    for (let phase = 0; phase < 2; phase++) {
      for (const granted of grants(this.settle())) this.step(granted);
    }
  }

  private settle(): readonly PeerMessage[] {
    const sent: PeerMessage[] = [];
    for (let round = 0; round < 20; round++) {
      sent.push(...this.collect());
      while (this.member.appends.length > 0) sent.push(...this.write());
      while (this.member.applies.length > 0) this.member.apply();
    }
    for (let tick = 0; tick < ELECTION_TICKS / 2; tick++) this.member.core.tick();
    return sent;
  }

  private write(): readonly PeerMessage[] {
    const messages = this.member.write();
    const { term, vote } = this.member.diskHardState;
    if (vote !== 0) this.countVote(term, vote);
    this.messagesLeft(messages);
    return messages;
  }

  /** Power is cut and comes back: whatever a peer made this member store, it can start from. */
  private restart(): void {
    this.member.crash(this.member.appends.length > 1 ? 1 : 0, true);
    this.restarted();
  }

  private restarted(): void {
    this.term = this.member.core.term;
    this.commit = this.member.core.commit;
    // The commit index need not be durable; a hostile leader may tell another story from there.
    for (const index of this.committed.keys()) if (index > this.commit) this.committed.delete(index);
  }

  /**
   * A member tells entries apart by index and term (paper 5.3). A leader that gives it two histories for one such pair can make it take
   * the copy of the first on its disk for one of the second.
   */
  private noteHistory({ index, term }: LogEntry): void {
    const key = `${index}/${term}`;
    const hash = this.member.log.hashAt(index) ?? EMPTY_HISTORY;
    if ((this.histories.get(key) ?? hash) !== hash) this.isConfused = true;
    this.histories.set(key, hash);
  }

  private messagesLeft(messages: readonly PeerMessage[]): void {
    ensure(messages.length === 0 || this.member.core.quarantineEvidence === null, "a member in quarantine says nothing");
    for (const message of messages) {
      if (message.type === "requestVoteResponse" && message.granted) this.countVote(message.term, message.to);
    }
  }

  private countVote(term: Term, candidate: NodeId): void {
    const before = this.votes.get(term) ?? candidate;
    ensure(before === candidate, `the vote of term ${term} goes to ${before} and to ${candidate}`);
    this.votes.set(term, candidate);
  }

  private checkCounters(): void {
    const { term, commit, lastIndex, appliedIndex } = this.member.core;
    ensure(term === this.term || (term > this.term && term <= TERM_MAX), `term ${this.term} is followed by ${term}`);
    ensure(commit >= this.commit, `commit index ${this.commit} is followed by ${commit}`);
    ensure(appliedIndex <= commit && commit <= lastIndex, `applied ${appliedIndex}, commit ${commit} and last ${lastIndex} are in order`);
    this.term = term;
    this.commit = commit;
  }

  /** Everything was handed out, unless the member is in quarantine: what is committed is what it was. */
  private check(): void {
    const { log, core } = this.member;
    if (core.quarantineEvidence !== null) return;
    for (let index = log.baseIndex + 1; index <= core.commit; index++) {
      const hash = log.hashAt(index);
      ensure(hash !== undefined, `committed index ${index} is in the log`);
      ensure((this.committed.get(index) ?? hash) === hash, `committed index ${index} keeps its history`);
      if (hash !== undefined) this.committed.set(index, hash);
    }
  }
}

function ensure(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`Invariant broken: ${sentence}`);
}
