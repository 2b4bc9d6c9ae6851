import type { PeerMessage } from "../messages.ts";
import type { CoreStatus, LogIndex, NodeId, PeerStatus, ReadResult, Term } from "../types.ts";
import { CommittedLog } from "./committed-log.ts";
import { ConfigurationHistory, hasQuorum } from "./configuration-history.ts";
import { ObservedLog } from "./observed-log.ts";
import type { DurableView, ObservedMember } from "./observed-member.ts";
import { ReadRecord } from "./read-record.ts";
import type { HistoryHash } from "./shadow-log.ts";
import { violated } from "./violation.ts";
import { VoteRecord } from "./vote-record.ts";

/** Terms and indexes stay below it, so that both fit into one key. */
const INDEX_LIMIT = 2 ** 32;

export interface ClusterInvariantsOptions {
  /** Index of the snapshot that every founding member begins with. Default 0: none. */
  readonly foundation?: LogIndex;
}

/** A member as it was when it was looked at last. */
interface Sight {
  readonly log: ObservedLog;
  /** What damage took from it, until its repair ends. It acknowledged all of it, and others rely on that. */
  owed: readonly DurableView[];
  /** Undefined until it is looked at, and again after a restart. */
  status: CoreStatus | undefined;
}

/**
 * Watches a whole cluster from outside and throws when one of Raft's promises is broken (paper figure 3). It has to see every member
 * from the beginning, after each event that can change it. It counts quorums by itself and believes no member.
 */
export class ClusterInvariants {
  private readonly members = new Map<NodeId, ObservedMember>();
  private readonly sights = new Map<NodeId, Sight>();
  private readonly committed: CommittedLog;
  private readonly configurations: ConfigurationHistory;
  private readonly votes = new VoteRecord();
  private readonly reads = new ReadRecord();
  private readonly leaders = new Map<Term, NodeId>();
  /** Hash of the history by term and index. */
  private readonly histories = new Map<number, HistoryHash>();
  private readonly states = new Map<LogIndex, number | string>();
  /** The leader of the highest term, 0 before the first. */
  private newestLeader: NodeId = 0;

  constructor(members: Iterable<ObservedMember>, options: ClusterInvariantsOptions = {}) {
    this.committed = new CommittedLog(options.foundation ?? 0);
    this.configurations = new ConfigurationHistory(this.committed);
    for (const member of members) this.add(member);
  }

  add(member: ObservedMember): void {
    this.members.set(member.id, member);
    this.sights.set(member.id, { log: new ObservedLog(), owed: [], status: undefined });
  }

  /** Highest index that any member ever committed. */
  get committedTo(): LogIndex {
    return this.committed.lastIndex;
  }

  /** Terms that had a leader. */
  get termsLed(): number {
    return this.leaders.size;
  }

  unansweredReads({ id }: ObservedMember): number {
    return this.reads.unansweredAt(id);
  }

  /** The member lost what was not durable. */
  restarted(member: ObservedMember): void {
    this.sightOf(member.id).status = undefined;
    this.reads.forget(member.id);
    this.check(member);
  }

  /** The member was restarted with less than was durable: `owed` is what it had. Term and vote are still there. */
  damaged(member: ObservedMember, owed: DurableView): void {
    const sight = this.sightOf(member.id);
    sight.owed = [...sight.owed, owed];
    this.restarted(member);
  }

  readAsked(member: ObservedMember, requestId: number): void {
    this.reads.asked(member.id, requestId, this.committedTo);
  }

  readAnswered(member: ObservedMember, read: ReadResult): void {
    this.reads.answered(member.id, read);
  }

  /** A message leaves its sender, at once or after the disk. */
  messageLeft(message: PeerMessage): void {
    this.votes.said(message, this.memberOf(message.from).durable);
  }

  /** After every event at this member. */
  check(member: ObservedMember): void {
    const sight = this.sightOf(member.id);
    const { log, status: before } = sight;
    const status = member.status();
    sight.status = status;
    const firstNew = log.look(member, status.firstIndex - 1, status.lastIndex, this.committed);
    if (before !== undefined) checkDirection(before, status);
    if (status.repair === null && sight.owed.length > 0) this.checkRepair(member, sight);
    this.checkHistory(member.id, log, firstNew);
    this.checkCommit(member.id, log, status, before);
    this.checkVote(member);
    this.checkLeader(log, status, { before, firstNew });
    this.checkState(member, status, log);
    this.configurations.seen(member.id, Math.max(status.applied, log.base), status.configuration);
    this.checkMatches(member);
  }

  /** Log matching: equal index and term, equal history (paper 5.3). */
  private checkHistory(id: NodeId, log: ObservedLog, firstNew: LogIndex): void {
    for (let index = firstNew; index <= log.lastIndex; index++) {
      const term = log.termAt(index) ?? 0;
      const hash = log.hashAt(index) ?? 0;
      const key = term * INDEX_LIMIT + index;
      const known = this.histories.get(key);
      if (known === undefined) this.histories.set(key, hash);
      else if (known !== hash) violated(`member ${id} has another history at index ${index} of term ${term}`);
    }
  }

  /** What is committed never changes, and is durable at a quorum when it is committed first (paper 5.3, 5.4). */
  private checkCommit(id: NodeId, log: ObservedLog, status: CoreStatus, before: CoreStatus | undefined): void {
    const { commit } = status;
    if (log.hashAt(commit) === undefined && commit >= log.base) violated(`member ${id} committed ${commit} beyond its log`);
    const from = this.committedTo;
    for (let index = from + 1; index <= commit; index++) {
      const isChange = log.entryAt(index)?.kind === "configuration";
      const term = log.termAt(index) ?? 0;
      this.committed.append(log.hashAt(index) ?? violated(`member ${id} skipped ${index}`), { term, inTerm: status.term, isChange });
    }
    if (log.hashAt(commit) !== this.committed.hashAt(commit)) violated(`member ${id} committed another history at ${commit}`);
    if (commit > from) this.checkDurable(id, log, [status, before ?? status]);
  }

  private checkDurable(id: NodeId, log: ObservedLog, [status, before]: readonly [CoreStatus, CoreStatus]): void {
    const { commit } = status;
    const term = log.termAt(commit) ?? 0;
    const holds = (voter: NodeId): boolean => this.standsFor(voter, commit, term);
    // The step that put another configuration in force may have committed under the former one.
    const isHeld = hasQuorum(status.configuration, holds) || hasQuorum(before.configuration, holds);
    if (!isHeld) violated(`member ${id} committed ${commit} without a quorum of durable copies`);
  }

  /** One leader per term, that lacks nothing committed before, only adds to its log, and counts only entries of its own term. */
  private checkLeader(
    log: ObservedLog,
    status: CoreStatus,
    past: { readonly before: CoreStatus | undefined; readonly firstNew: LogIndex },
  ): void {
    const { id, role, term, commit, applied } = status;
    if (role !== "leader") return;
    const { before, firstNew } = past;
    const other = this.leaders.get(term) ?? id;
    if (other !== id) violated(`members ${other} and ${id} lead term ${term}`);
    this.leaders.set(term, id);
    if (term > (this.sights.get(this.newestLeader)?.status?.term ?? 0)) this.newestLeader = id;
    if (before?.role === "leader" && before.term === term) {
      if (firstNew <= before.lastIndex) violated(`leader ${id} changed its own log at ${firstNew}`);
      const isOld = commit > before.commit && (log.termAt(commit) ?? term) !== term;
      if (isOld) violated(`leader ${id} committed ${commit} of an earlier term by counting`);
    } else {
      this.checkElection(log, status, before ?? status);
    }
    const waiting = log.changes.filter((index) => index > applied);
    const isHasty = waiting.length > 1 && waiting.some((index) => log.termAt(index) === term);
    if (isHasty) violated(`leader ${id} changes members while an earlier change is not applied: ${waiting.join(", ")}`);
  }

  /** It was elected by a quorum, and its log holds everything that was committed in earlier terms (paper 5.4.1). */
  private checkElection(log: ObservedLog, status: CoreStatus, before: CoreStatus): void {
    const { id, term } = status;
    const last = this.committed.lastBefore(term);
    const isComplete = last <= log.base || log.hashAt(last) === this.committed.hashAt(last);
    if (!isComplete) violated(`leader ${id} of term ${term} lacks the committed entry ${last}`);
    const votesForIt = (voter: NodeId): boolean => this.votes.of(voter, term) === id;
    const isElected = hasQuorum(status.configuration, votesForIt) || hasQuorum(before.configuration, votesForIt);
    if (this.votes.isComplete && !isElected) violated(`leader ${id} of term ${term} was not elected by a quorum`);
  }

  /** Damage did not undo a commit, and until the repair ends a member that owes an entry votes for nobody who lacks it. */
  private standsFor(id: NodeId, index: LogIndex, term: Term): boolean {
    const durable = this.members.get(id)?.durable ?? null;
    return durable === null || durable.holds(index, term) || this.sightOf(id).owed.some((owed) => owed.holds(index, term));
  }

  /** Who votes again has everything again that it acknowledged and that was committed. */
  private checkRepair({ id, durable }: ObservedMember, sight: Sight): void {
    for (let index = 1; durable !== null && index <= this.committedTo; index++) {
      const term = this.committed.termAt(index);
      const isMissing = sight.owed.some((owed) => owed.holds(index, term)) && !durable.holds(index, term);
      if (isMissing) violated(`member ${id} ends its repair without the committed entry ${index}, which it had acknowledged`);
    }
    sight.owed = [];
  }

  private checkVote({ id, durable }: ObservedMember): void {
    const hardState = durable?.hardState ?? null;
    if (hardState !== null && hardState.vote !== 0) this.votes.given(id, hardState.term, hardState.vote);
  }

  /** Only what is committed, and durable here, is applied; equal entries, equal states (paper 5.4.3). */
  private checkState({ id, stateHash, durable }: ObservedMember, { applied, commit, quarantine }: CoreStatus, log: ObservedLog): void {
    if (applied > commit) violated(`member ${id} applied ${applied} beyond its commit index ${commit}`);
    const term = log.termAt(applied);
    if (term !== undefined && durable?.holds(applied, term) === false) violated(`member ${id} applied ${applied}, which it may lose`);
    if (stateHash === null || quarantine !== null) return;
    const known = this.states.get(applied);
    if (known === undefined) this.states.set(applied, stateHash);
    else if (known !== stateHash) violated(`member ${id} has another state than others at ${applied}`);
  }

  /** What the newest leader believes of the disks of others is true, unless a later term took it from them. */
  private checkMatches({ id }: ObservedMember): void {
    const leader = this.sights.get(this.newestLeader);
    if (leader?.status === undefined || leader.status.role !== "leader") return;
    for (const peer of leader.status.peers)
      if (id === this.newestLeader || id === peer.id) this.checkMatch(leader.status, leader.log, peer);
  }

  private checkMatch(leader: CoreStatus, log: ObservedLog, { id, match, isDistrusted }: PeerStatus): void {
    const term = log.termAt(match);
    const durable = this.members.get(id)?.durable ?? null;
    const isTakenAway = (this.sights.get(id)?.status?.term ?? 0) > leader.term;
    if (term === undefined || durable === null || isDistrusted || isTakenAway) return;
    const isOwnPast = id === leader.id && term !== leader.term;
    if (!isOwnPast && !this.standsFor(id, match, term)) violated(`leader ${leader.id} believes that ${id} holds ${match}`);
  }

  private memberOf(id: NodeId): ObservedMember {
    return this.members.get(id) ?? violated(`there is no member ${id}`);
  }

  private sightOf(id: NodeId): Sight {
    return this.sights.get(id) ?? violated(`there is no member ${id}`);
  }
}

/** Nothing goes backwards while a member runs, and a vote once given stands. */
function checkDirection(before: CoreStatus, status: CoreStatus): void {
  const { id, term, commit, applied, vote } = status;
  if (term < before.term) violated(`member ${id} lowered its term to ${term}`);
  if (commit < before.commit) violated(`member ${id} lowered its commit index to ${commit}`);
  if (applied < before.applied) violated(`member ${id} lowered its applied index to ${applied}`);
  if (term === before.term && before.vote !== 0 && vote !== before.vote) violated(`member ${id} took back its vote of term ${term}`);
}
