import fc from "fast-check";
import { TERM_MAX } from "../message-check.ts";
import type { LogIndex, NodeId, PeerMessage, RoleName, StepRejection, Term } from "../types.ts";
import { type HostileMessage, hostileMessage, messageOf } from "./hostile-message.ts";
import { EMPTY_HISTORY, type HistoryHash } from "./shadow-log.ts";
import { soloMember } from "./solo-member.ts";
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
        | "unreachable"
        | "restart"
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
  "unreachable",
  "restart",
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
});

/** Member 1 among peers that say anything at all, while its own driver keeps every promise. */
export class HostileRun {
  private readonly member: TestMember;
  private readonly votes = new Map<Term, NodeId>();
  /** Hash of the history at each index that was committed. */
  private readonly committed = new Map<LogIndex, HistoryHash>();
  private term: Term;
  private commit: LogIndex;
  private nextRequestId = 1;

  constructor(start: HostileStart) {
    const term = Math.max(start.term, start.terms[start.terms.length - 1] ?? 0);
    this.member = soloMember({
      ...start,
      term,
      options: { appendBytesMax: 4, inflightBytesMax: 8, inflightMessagesMax: 2, applyBytesMax: 8 },
    });
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
    const before = JSON.stringify(core.status());
    const commit = core.commit;
    const rejection = message.type === "installSnapshot" ? this.member.receiveSnapshot(message, EMPTY_HISTORY) : core.step(message);
    if (rejection === "commit_beyond_log") ensure(core.commit === commit, "a heartbeat beyond the log commits nothing");
    else if (rejection !== null) ensure(JSON.stringify(core.status()) === before, `a message refused as ${rejection} changes nothing`);
    return rejection ?? "taken";
  }

  private act(event: Exclude<HostileEvent, HostileMessage>): void {
    const { member } = this;
    switch (event.kind) {
      case "tick":
        return member.core.tick();
      case "collect":
        return this.collect();
      case "write":
        return this.messagesLeft(member.write());
      case "apply":
        return member.apply();
      case "campaign":
        return member.core.campaign();
      case "propose":
        member.core.propose([new Uint8Array(3), new Uint8Array(2)]);
        return;
      case "read":
        return member.core.readIndex(this.nextRequestId++);
      case "unreachable":
        return member.core.reportUnreachable(2);
      case "restart":
        return this.restart();
      case "win":
        return this.win();
      case "settle":
        return this.settle();
      case "snapshot":
        this.collect();
        return member.takeSnapshot(event.trailing);
    }
  }

  private collect(): void {
    const ready = this.member.collect();
    if (ready === undefined) return;
    this.messagesLeft(ready.messages);
    for (const { index } of ready.apply?.entries ?? []) {
      const { disk, log } = this.member;
      const isDurable = index <= disk.baseIndex || disk.hashAt(index) === log.hashAt(index);
      ensure(isDurable, `index ${index} is durable before it is applied`);
    }
    for (const { type, to } of ready.messages) if (type === "installSnapshot") this.member.core.reportSnapshot(to, to === 2);
    this.check();
  }

  /** Honest peers vote for this member, so that hostile ones meet a leader. */
  private win(): void {
    const { core } = this.member;
    core.campaign();
    this.settle();
    for (let voter = 2; voter <= 5; voter++) {
      this.step({ type: "requestVoteResponse", from: voter, to: 1, term: core.term, granted: core.role === "candidate" });
    }
  }

  private settle(): void {
    for (let round = 0; round < 20; round++) {
      this.collect();
      while (this.member.appends.length > 0) this.messagesLeft(this.member.write());
      while (this.member.applies.length > 0) this.member.apply();
    }
    for (let tick = 0; tick < ELECTION_TICKS / 2; tick++) this.member.core.tick();
  }

  /** Power is cut and comes back: whatever a peer made this member store, it can start from. */
  private restart(): void {
    this.member.crash(this.member.appends.length > 1 ? 1 : 0, true);
    this.term = this.member.core.term;
    this.commit = this.member.core.commit;
    // The commit index need not be durable; a hostile leader may tell another story from there.
    for (const index of this.committed.keys()) if (index > this.commit) this.committed.delete(index);
  }

  private messagesLeft(messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      if (message.type === "requestVote") this.countVote(message.term, message.from);
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

  /** Everything was handed out: what is committed is what it was. */
  private check(): void {
    const { log, core } = this.member;
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
