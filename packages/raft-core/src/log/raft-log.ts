import { assert } from "../assert.ts";
import type { EventSink } from "../events.ts";
import type { CompactOutcome, LogEntry, LogIndex, SnapshotMeta, Term } from "../types.ts";
import { EntryList } from "./entry-list.ts";

/** Entries in one message or job, whatever their size: empty ones cost time too. */
const SLICE_ENTRIES_MAX = 65_536;

const NONE: readonly LogEntry[] = [];

/** Bytes of payload, the measure of every limit. */
export function payloadBytes(entries: readonly LogEntry[]): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) bytes += entries[i]?.data.length ?? 0;
  return bytes;
}

export interface LogStart {
  /** Where the state machine stands, if that is beyond the snapshot. */
  readonly applied?: SnapshotMeta | null;
  readonly emit?: EventSink | undefined;
}

/**
 * The log and its cursors. Everything above the compaction point is in memory, so that reading never waits for a disk. That point may
 * lie above the newest snapshot: the log on the disk still goes on from there.
 *
 * ```text
 *   base │ first ............ offset ...... inProgress ...... last
 *        │         durable   │  being written  │  not yet handed out
 *        │ ... applied <= applying <= commit ...
 * ```
 * `base` is the compaction point, whose term stays known. While a received snapshot is not durable, `base` and `commit` are its
 * index already and nothing is handed out for applying.
 */
export class RaftLog {
  private readonly entries: EntryList;
  private baseIndex: LogIndex;
  private baseTerm: Term;
  private committed: LogIndex;
  private applyingTo: LogIndex;
  private appliedTo: LogIndex;
  /** First index that is not known to be durable. */
  private offset: LogIndex;
  /** First index that was not handed out for writing. */
  private inProgress: LogIndex;
  private saved: SnapshotMeta | null;
  private readonly emit: EventSink | undefined;
  private received: { readonly meta: SnapshotMeta; handedOut: boolean } | null = null;

  /**
   * What a disk held: everything is durable, the state machine stands at the snapshot, or at `applied` beyond it. `commit` is a hint and is
   * clamped.
   */
  constructor(snapshot: SnapshotMeta | null, entries: readonly LogEntry[], commit: LogIndex, { applied = null, emit }: LogStart = {}) {
    this.emit = emit;
    const origin = applied ?? snapshot;
    const originIndex = origin?.index ?? 0;
    const oldest = entries[0];
    const newest = entries[entries.length - 1];
    assert(snapshot === null || snapshot.index >= 1, "A snapshot has a positive index");
    assert(applied === null || (snapshot !== null && applied.index > snapshot.index), "What is applied lies behind a snapshot");
    assert(applied === null || applied.index <= commit, "Only committed entries are applied");
    assert(oldest === undefined || oldest.index <= originIndex + 1, "The log begins at or before the entry after the applied one");
    this.saved = snapshot;
    if (oldest === undefined || newest === undefined || newest.index < originIndex) {
      this.baseIndex = originIndex;
      this.baseTerm = origin?.term ?? 0;
      this.entries = new EntryList(originIndex + 1);
    } else {
      // Where the term before the oldest entry is unknown, that entry itself becomes the base: its term is known.
      const startsAtOrigin = oldest.index === originIndex + 1;
      this.baseIndex = startsAtOrigin ? originIndex : oldest.index === 1 ? 0 : oldest.index;
      this.baseTerm = startsAtOrigin ? (origin?.term ?? 0) : oldest.index === 1 ? 0 : oldest.term;
      this.entries = new EntryList(this.baseIndex + 1);
      for (const entry of entries) if (entry.index > this.baseIndex) this.push(entry);
    }
    assert(origin === null || this.termAt(originIndex) === origin.term, "Log and snapshot agree on the snapshot's term");
    this.committed = Math.min(Math.max(commit, originIndex), this.lastIndex);
    this.applyingTo = originIndex;
    this.appliedTo = originIndex;
    this.offset = this.entries.end;
    this.inProgress = this.entries.end;
  }

  get firstIndex(): LogIndex {
    return this.baseIndex + 1;
  }
  get lastIndex(): LogIndex {
    return this.entries.end - 1;
  }
  get lastTerm(): Term {
    return this.lastIndex === this.baseIndex ? this.baseTerm : this.entries.at(this.lastIndex).term;
  }
  get commit(): LogIndex {
    return this.committed;
  }
  get applied(): LogIndex {
    return this.appliedTo;
  }
  /** Highest index known to be on this member's disk. */
  get durable(): LogIndex {
    return this.offset - 1;
  }
  /** The newest durable snapshot; what a leader sends. */
  get snapshot(): SnapshotMeta | null {
    return this.saved;
  }
  /** A snapshot was received and is not yet durable. */
  get isRestoring(): boolean {
    return this.received !== null;
  }

  /** Undefined above the last entry and below the compaction point. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.baseIndex) return this.baseTerm;
    if (index < this.baseIndex || index >= this.entries.end) return undefined;
    return this.entries.at(index).term;
  }

  entryAt(index: LogIndex): LogEntry | undefined {
    return index > this.baseIndex && index < this.entries.end ? this.entries.at(index) : undefined;
  }

  /** Whether a log that ends so may lead this one (paper 5.4.1). */
  isAtLeast(lastTerm: Term, lastIndex: LogIndex): boolean {
    const ownTerm = this.lastTerm;
    return lastTerm > ownTerm || (lastTerm === ownTerm && lastIndex >= this.lastIndex);
  }

  /**
   * The largest index at or below `index` whose term is at most `term`: where two logs may still agree. Terms never decrease, so
   * halving finds it. If even the compaction point has a higher term, it is the index below, whose term is unknown.
   */
  hintAt(index: LogIndex, term: Term): LogIndex {
    let low = this.baseIndex;
    let high = Math.min(index, this.lastIndex);
    if (high < low) return high;
    if (this.baseTerm > term) return low - 1;
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2);
      if (this.entries.at(middle).term <= term) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Entries from `from` up to but without `end`: as many as fit into `bytesMax`, at least one if there is one. */
  slice(from: LogIndex, end: LogIndex, bytesMax: number, costPerEntry = 0): readonly LogEntry[] {
    if (from >= end) return NONE;
    const farthest = Math.min(end, from + SLICE_ENTRIES_MAX);
    let stop = from + 1;
    let bytes = this.entries.at(from).data.length + costPerEntry;
    while (stop < farthest) {
      bytes += this.entries.at(stop).data.length + costPerEntry;
      if (bytes > bytesMax) break;
      stop++;
    }
    return this.entries.slice(from, stop);
  }

  /** Adds one entry at the end. */
  append(entry: LogEntry): void {
    this.push(entry);
  }

  /**
   * Takes entries that follow a matching one (paper 5.3): those already present are skipped, and only from the first with another
   * term on the own log gives way. A late or repeated message therefore removes nothing.
   */
  merge(entries: readonly LogEntry[]): void {
    const start = entries.findIndex((entry) => this.termAt(entry.index) !== entry.term);
    const first = entries[start];
    if (first === undefined) return;
    if (first.index <= this.lastIndex) this.giveWay(first);
    for (const entry of start === 0 ? entries : entries.slice(start)) this.push(entry);
  }

  /**
   * Whether a log with `term` at `index` lacks something that is committed here. Terms never decrease along a log, so one above the
   * commit index has at least the term that stands there.
   */
  deniesCommitted(index: LogIndex, term: Term): boolean {
    const ownTerm = this.termAt(Math.min(index, this.committed));
    return ownTerm !== undefined && (index > this.committed ? term < ownTerm : term !== ownTerm);
  }

  commitTo(index: LogIndex): boolean {
    if (index <= this.committed) return false;
    assert(index <= this.lastIndex, "The commit index is inside the log");
    this.committed = index;
    return true;
  }

  /** Entries for the disk that were not handed out before. */
  handOutUnstable(): readonly LogEntry[] {
    if (this.inProgress >= this.entries.end) return NONE;
    const entries = this.entries.slice(this.inProgress, this.entries.end);
    this.inProgress = this.entries.end;
    return entries;
  }

  /** A received snapshot for the disk that was not handed out before. */
  handOutSnapshot(): SnapshotMeta | null {
    if (this.received === null || this.received.handedOut) return null;
    this.received.handedOut = true;
    return this.received.meta;
  }

  get hasUnstable(): boolean {
    return this.inProgress < this.entries.end || (this.received !== null && !this.received.handedOut);
  }

  /**
   * The disk holds everything up to `index`, which had `term` when it was handed out. If another term stands there now, the tail
   * was replaced meanwhile, and a later job speaks for what replaced it.
   */
  stableTo(index: LogIndex, term: Term): void {
    if (index < this.offset || index > this.lastIndex) {
      const isSnapshot = index < this.offset && index === this.received?.meta.index;
      this.emit?.({ type: "acknowledgementIgnored", cause: isSnapshot ? "snapshot" : "missing", index });
      return;
    }
    const existingTerm = this.entries.at(index).term;
    // A leader that contradicts itself may put an entry of the same term there, which was not handed out yet.
    if (existingTerm !== term || index >= this.inProgress) {
      this.emit?.({ type: "acknowledgementMismatched", index, term, existingTerm });
      return;
    }
    this.offset = index + 1;
  }

  /** Committed entries, each handed out once; unless `withUndurable`, only those that are durable here. */
  handOutCommitted(bytesMax: number, withUndurable: boolean, costPerEntry = 0): readonly LogEntry[] {
    const entries = this.slice(this.applyingTo + 1, this.applicableEnd(withUndurable), bytesMax, costPerEntry);
    this.applyingTo += entries.length;
    return entries;
  }

  hasCommitted(withUndurable: boolean): boolean {
    return this.applyingTo + 1 < this.applicableEnd(withUndurable);
  }

  /** Whether a committed change of members waits to be applied. */
  hasUnappliedChange(): boolean {
    for (let index = Math.max(this.appliedTo, this.baseIndex) + 1; index <= this.committed; index++) {
      if (this.entries.at(index).kind === "configuration") return true;
    }
    return false;
  }

  /** Whether the log holds a change of members above `from`, committed or not. */
  hasChangeAfter(from: LogIndex): boolean {
    for (let index = Math.max(from, this.baseIndex) + 1; index <= this.lastIndex; index++) {
      if (this.entries.at(index).kind === "configuration") return true;
    }
    return false;
  }

  applyTo(index: LogIndex): void {
    assert(index <= this.committed, "Only committed entries are applied");
    if (index > this.appliedTo) this.appliedTo = index;
  }

  /** Replaces the whole log, also what lies beyond the snapshot: nothing says that it still follows from it. */
  restore(meta: SnapshotMeta): void {
    assert(meta.index > this.committed, "A snapshot is restored only to go forward");
    this.emit?.({
      type: "snapshotRestoreStarted",
      snapshot: meta,
      commit: this.committed,
      applied: this.appliedTo,
      applying: this.applyingTo,
      unstableOffset: this.offset,
      unstableInProgress: this.inProgress,
      unstableCount: this.entries.end - this.offset,
    });
    this.baseIndex = meta.index;
    this.baseTerm = meta.term;
    this.entries.restart(meta.index + 1);
    this.committed = meta.index;
    this.offset = meta.index + 1;
    this.inProgress = meta.index + 1;
    this.received = { meta, handedOut: false };
  }

  /** The received snapshot is durable, and the state machine was restored from it. */
  restored(meta: SnapshotMeta): void {
    if (this.saved === null || meta.index > this.saved.index) this.saved = meta;
    this.appliedTo = Math.max(this.appliedTo, meta.index);
    this.applyingTo = Math.max(this.applyingTo, meta.index);
    if (this.received?.meta.index === meta.index) this.received = null;
  }

  /** An own snapshot is durable. The driver may report as applied only later what it holds. */
  saveSnapshot(meta: SnapshotMeta): void {
    assert(meta.index <= this.applyingTo, "A snapshot holds applied entries only");
    const term = this.termAt(meta.index);
    assert(term === undefined || term === meta.term, "A snapshot has the term of its last entry");
    // One of the same index names other members if those were replaced without the log.
    if (this.saved === null || meta.index >= this.saved.index) this.saved = meta;
  }

  /** Forgets entries up to and including `index`, if a durable snapshot covers them. Its term stays known. */
  compact(index: LogIndex): CompactOutcome {
    if (index <= this.baseIndex) return "compacted";
    if (index > (this.saved?.index ?? 0)) return "not_in_snapshot";
    this.dropTo(index);
    return "compacted";
  }

  /** Forgets entries up to and including `index`, as far as they are applied and durable, whether a snapshot covers them or not. */
  forget(index: LogIndex): void {
    if (this.saved !== null) this.dropTo(Math.min(index, this.appliedTo, this.durable));
  }

  /** The order of the cursors as drawn above. */
  checkCursors(withUndurable: boolean): void {
    const { baseIndex, appliedTo, applyingTo, committed, offset, inProgress } = this;
    const end = this.entries.end;
    assert(appliedTo <= applyingTo && applyingTo <= committed && committed < end, "Applied, applying, committed and last are in order");
    assert(baseIndex <= applyingTo || this.received !== null, "Only what is applied is compacted");
    assert(appliedTo < offset || withUndurable, "What is applied is durable");
    assert(offset > baseIndex && offset <= inProgress && inProgress <= end, "Durable, handed out and last are in order");
  }

  /** What is not durable here waits, even if others hold it: a reader must not see what this member could lose. */
  private applicableEnd(withUndurable: boolean): LogIndex {
    if (this.received !== null) return 0;
    return withUndurable ? this.committed + 1 : Math.min(this.committed + 1, this.offset);
  }

  /** Everything up to and including `index` goes, but for its term. */
  private dropTo(index: LogIndex): void {
    if (index <= this.baseIndex) return;
    this.baseTerm = this.entries.at(index).term;
    this.baseIndex = index;
    this.entries.dropBefore(index + 1);
  }

  private push(entry: LogEntry): void {
    assert(entry.term >= this.lastTerm, "Terms in the log never decrease");
    this.entries.push(entry);
  }

  /** Another leader's entry takes the place of one that was never committed. */
  private giveWay(first: LogEntry): void {
    const { index, term } = first;
    assert(index > this.committed, "A committed entry is never replaced: the leader's log contradicts an acknowledged one");
    this.emit?.({ type: "conflictFound", index, existingTerm: this.termAt(index) ?? 0, conflictingTerm: term });
    this.entries.truncate(index);
    if (index <= this.offset) {
      this.emit?.({ type: "unstableReplaced", fromIndex: index });
      this.offset = index;
      this.inProgress = index;
    } else {
      this.emit?.({ type: "unstableTruncated", beforeIndex: index });
      this.inProgress = Math.min(this.inProgress, index);
    }
  }
}
