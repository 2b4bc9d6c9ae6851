import type { LogIndex, NodeId, PeerMessage, Ready, Term } from "../types.ts";
import type { HistoryHash } from "./shadow-log.ts";
import type { TestMember } from "./test-member.ts";

/** What a member was when it was looked at last. */
interface Seen {
  term: Term;
  commit: LogIndex;
  wasLeader: boolean;
  lastIndex: LogIndex;
  lastHash: HistoryHash;
}

function ensure(holds: boolean, sentence: () => string): void {
  if (!holds) throw new Error(`Invariant broken: ${sentence()}`);
}

/** Watches a whole cluster from outside and throws when one of Raft's global promises is broken. */
export class Invariants {
  private readonly members: readonly TestMember[];
  private readonly seen = new Map<NodeId, Seen>();
  private readonly leaders = new Map<Term, NodeId>();
  private readonly votes = new Map<string, NodeId>();
  private readonly histories = new Map<string, HistoryHash>();
  /** Hash of the history at each committed index. */
  private readonly committed: HistoryHash[] = [];
  /** Commit index when each read was asked for, by requester and id. */
  private readonly readFloors = new Map<string, LogIndex>();
  private readonly heldReads = new Set<string>();

  constructor(members: readonly TestMember[]) {
    this.members = members;
  }

  /** Highest index that any member ever committed. */
  get committedTo(): LogIndex {
    return this.committed.length;
  }

  get unansweredReads(): number {
    return this.heldReads.size;
  }

  restarted(member: TestMember): void {
    const before = this.seen.get(member.id);
    ensure(member.core.term >= member.diskHardState.term, () => `member ${member.id} forgot its durable term`);
    ensure(before === undefined || member.core.commit <= this.committedTo, () => `member ${member.id} restarts beyond the commit index`);
    this.seen.delete(member.id);
    for (const key of [...this.heldReads]) if (key.startsWith(`${member.id}/`)) this.heldReads.delete(key);
  }

  readAsked(member: TestMember, requestId: number): void {
    const key = `${member.id}/${requestId}`;
    this.readFloors.set(key, this.committedTo);
    this.heldReads.add(key);
  }

  /** After every Ready that was taken. */
  check(member: TestMember, ready: Ready | undefined): void {
    this.checkCommit(member);
    this.checkLogMatching(member, ready);
    this.checkRole(member);
    if (ready !== undefined) this.checkReady(member, ready);
    this.checkMatches();
    const { term, commit, role } = member.core;
    const lastIndex = member.log.lastIndex;
    this.seen.set(member.id, { term, commit, wasLeader: role === "leader", lastIndex, lastHash: member.log.hashAt(lastIndex) ?? 0 });
  }

  /** Whenever messages leave, at once or after the disk. I8: one vote per member and term, also over crashes. */
  messagesLeft(messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      if (message.type === "requestVote") this.countVote(message.from, message.term, message.from);
      if (message.type === "requestVoteResponse" && message.granted) this.countVote(message.from, message.term, message.to);
    }
  }

  private countVote(voter: NodeId, term: Term, candidate: NodeId): void {
    const key = `${voter}/${term}`;
    const before = this.votes.get(key) ?? candidate;
    ensure(before === candidate, () => `member ${voter} voted for ${before} and for ${candidate} in term ${term}`);
    this.votes.set(key, candidate);
  }

  /** I5, I6, I7 and the half of I1's companions that concern commit. */
  private checkCommit(member: TestMember): void {
    const commit = member.core.commit;
    const before = this.seen.get(member.id);
    ensure(before === undefined || commit >= before.commit, () => `member ${member.id} lowered its commit index to ${commit}`);
    for (let index = Math.max(member.log.baseIndex, 1); index <= commit; index++) {
      const hash = member.log.hashAt(index);
      const known = this.committed[index - 1];
      ensure(hash !== undefined, () => `member ${member.id} committed ${index} beyond its log`);
      if (known === undefined) this.firstCommit(member, index, hash ?? 0);
      else ensure(hash === known, () => `member ${member.id} committed another history at ${index}`);
    }
    ensure(member.stateIndex <= commit, () => `member ${member.id} applied ${member.stateIndex} beyond its commit index ${commit}`);
    const known = this.committed[member.stateIndex - 1];
    ensure(known === undefined || member.state === known, () => `member ${member.id} has another state at ${member.stateIndex}`);
  }

  private firstCommit(member: TestMember, index: LogIndex, hash: HistoryHash): void {
    ensure(index === this.committed.length + 1, () => `index ${index} was committed before index ${this.committed.length + 1}`);
    const holders = this.members.filter((other) => other.disk.hashAt(index) === hash || other.disk.baseIndex > index).length;
    const needed = Math.floor(this.members.length / 2) + 1;
    ensure(holders >= needed, () => `index ${index} was committed by member ${member.id} with ${holders} durable copies`);
    this.committed.push(hash);
  }

  /** I3: equal index and term, equal history. */
  private checkLogMatching(member: TestMember, ready: Ready | undefined): void {
    for (const entry of ready?.append?.entries ?? []) {
      const key = `${entry.index}/${entry.term}`;
      const hash = member.log.hashAt(entry.index);
      const known = this.histories.get(key) ?? hash;
      ensure(known === hash, () => `member ${member.id} has another history at index ${entry.index} of term ${entry.term}`);
      if (hash !== undefined) this.histories.set(key, hash);
    }
  }

  /** I1, I2, I4. */
  private checkRole(member: TestMember): void {
    const { term, role } = member.core;
    const before = this.seen.get(member.id);
    ensure(before === undefined || term >= before.term, () => `member ${member.id} lowered its term to ${term}`);
    if (role !== "leader") return;
    const other = this.leaders.get(term) ?? member.id;
    ensure(other === member.id, () => `members ${other} and ${member.id} lead term ${term}`);
    this.leaders.set(term, member.id);
    if (before?.wasLeader === true && before.term === term) {
      const kept = before.lastIndex < member.log.baseIndex || member.log.hashAt(before.lastIndex) === before.lastHash;
      ensure(kept, () => `leader ${member.id} changed its own log at or below ${before.lastIndex}`);
      ensure(member.core.commit === before.commit || member.log.termAt(member.core.commit) === term, () => `leader ${member.id} counted`);
    } else {
      const last = this.committedTo;
      const isComplete = last === 0 || member.log.baseIndex > last || member.log.hashAt(last) === this.committed[last - 1];
      ensure(isComplete, () => `leader ${member.id} of term ${term} lacks the committed entry ${last}`);
    }
  }

  /** I10, and what a Ready promises. */
  private checkReady(member: TestMember, ready: Ready): void {
    for (const read of ready.reads) {
      const key = `${member.id}/${read.requestId}`;
      ensure(this.heldReads.delete(key), () => `read ${key} was answered twice or never asked`);
      const floor = this.readFloors.get(key) ?? 0;
      if ("index" in read) ensure(read.index >= floor, () => `read ${key} got ${read.index}, but ${floor} was committed before`);
    }
    const append = ready.append;
    if (append === null) return;
    const before = this.seen.get(member.id);
    const isTermNew = append.hardState !== null && before !== undefined && append.hardState.term !== before.term;
    const mustSync = append.entries.length > 0 || append.snapshot !== null || isTermNew;
    ensure(append.mustSync || !mustSync, () => `member ${member.id} may skip a sync that it needs`);
  }

  /** I12: what the newest leader believes is on the disks of its followers, unless a later term took them from it. */
  private checkMatches(): void {
    const leader = this.members
      .filter((member) => member.core.role === "leader")
      .reduce<TestMember | undefined>(
        (newest, member) => (newest !== undefined && newest.core.term > member.core.term ? newest : member),
        undefined,
      );
    if (leader === undefined) return;
    for (const peer of leader.core.status().peers) {
      const follower = this.members.find((member) => member.id === peer.id);
      const own = leader.log.hashAt(peer.match);
      if (follower === undefined || own === undefined || peer.match < follower.disk.baseIndex) continue;
      if (follower.core.term > leader.core.term) continue;
      ensure(follower.disk.hashAt(peer.match) === own, () => `leader ${leader.id} believes that ${peer.id} holds ${peer.match}`);
    }
  }
}
