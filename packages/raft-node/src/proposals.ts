import type { LogIndex, ProposeOutcome } from "@raftkv/raft-core";
import { CompletionGuard } from "./completion-guard.ts";
import { meaningOf } from "./dropped-proposal.ts";
import { EntryEnvelope } from "./entry-envelope.ts";
import { type Completion, NodeError } from "./node-error.ts";
import { PendingWindow } from "./pending-window.ts";
import type { Random } from "./ports.ts";

/** Entries that are proposed, and so forwarded, together. */
const pieceBytesMax = 1024 * 1024;

interface Pending<Result> {
  readonly sequence: number;
  readonly bytes: number;
  readonly completion: Completion<Result>;
  readonly deadlineMs: number;
  /** Where this member appended it as leader; 0 if it was forwarded or not yet proposed. */
  index: LogIndex;
}

export interface ProposalsOptions {
  readonly random: Random;
  /** Proposals that may wait at once, and their bytes; a single one may be larger. */
  readonly countMax: number;
  readonly bytesMax: number;
  readonly timeoutMs: number;
  /** A completion threw. */
  readonly onCompletionError: (error: unknown) => void;
}

/**
 * Proposals of this member from their arrival until they are applied, fail or time out.
 *
 *     add ──► queued ──offer─► with the core ──applied──► succeed
 *                │                  ├──── superseded ───► fail, safe to send again
 *                └── deadline ──────┴──── deadline ─────► fail, outcome unknown
 */
export class Proposals<Result> {
  private readonly envelope: EntryEnvelope;
  private readonly countMax: number;
  private readonly bytesMax: number;
  private readonly timeoutMs: number;
  private readonly guard: CompletionGuard;
  private pendingBytes = 0;
  /** In order of arrival, so that the oldest deadline comes first. */
  private readonly pending = new PendingWindow<Pending<Result>>();
  private queued: Pending<Result>[] = [];
  private queuedEntries: Uint8Array[] = [];
  /** Appended under a leadership that is over, ascending by index. */
  private orphans: Pending<Result>[] = [];
  private nextSequence = 0;
  private failed = 0;

  constructor(options: ProposalsOptions) {
    this.envelope = new EntryEnvelope(options.random);
    this.countMax = options.countMax;
    this.bytesMax = options.bytesMax;
    this.timeoutMs = options.timeoutMs;
    this.guard = new CompletionGuard(options.onCompletionError);
  }

  get count(): number {
    return this.pending.size;
  }

  /** Since the start, for whatever reason. */
  get failedCount(): number {
    return this.failed;
  }

  get queuedCount(): number {
    return this.queued.length;
  }

  add(command: Uint8Array, nowMs: number, completion: Completion<Result>): void {
    const overload = this.overload(command.length);
    if (overload !== null) {
      this.failed++;
      completion.fail(new NodeError("ERR_OVERLOADED", "safe", overload));
      return;
    }
    this.pendingBytes += command.length;
    const sequence = this.nextSequence;
    this.nextSequence = (sequence + 1) >>> 0;
    const pending: Pending<Result> = { sequence, bytes: command.length, completion, deadlineMs: nowMs + this.timeoutMs, index: 0 };
    this.pending.add(sequence, pending);
    this.queued.push(pending);
    this.queuedEntries.push(this.envelope.wrap(sequence, command));
  }

  /** Offers everything that is queued to the core, in pieces that fit a message. What has to wait for a leader stays. */
  offer(propose: (entries: readonly Uint8Array[]) => ProposeOutcome): void {
    while (this.queued.length > 0) {
      const count = this.pieceLength();
      const whole = count === this.queued.length;
      const outcome = propose(whole ? this.queuedEntries : this.queuedEntries.slice(0, count));
      const meaning = outcome.outcome === "dropped" ? meaningOf(outcome.reason) : null;
      if (meaning === "wait") return;
      const offered = whole ? this.queued : this.queued.slice(0, count);
      this.queued = whole ? [] : this.queued.slice(count);
      this.queuedEntries = whole ? [] : this.queuedEntries.slice(count);
      if (outcome.outcome === "accepted") {
        let index = outcome.firstIndex;
        for (const pending of offered) pending.index = index++;
      } else if (meaning !== null) {
        for (const pending of offered) this.fail(pending, meaning.error);
      }
    }
  }

  /** An entry was applied here. `result` answers the proposal if it is one of ours. */
  applied(entry: Uint8Array, result: Result): void {
    const sequence = this.envelope.ownSequence(entry);
    if (sequence < 0) return;
    const pending = this.pending.get(sequence);
    if (pending === undefined) return;
    this.forget(pending);
    this.guard.succeed(pending.completion, result);
  }

  /** This member leads no longer: what it appended may be overwritten. */
  leadershipLost(): void {
    const lost = this.pending.values().filter((pending) => pending.index > 0);
    this.orphans = lost.sort((a, b) => a.index - b.index);
  }

  /** Everything up to `index` was applied one by one: an orphan there that was not answered has been overwritten. */
  settleOrphans(index: LogIndex): void {
    this.endOrphans(index, () => new NodeError("ERR_LEADERSHIP_LOST", "safe", "The leader changed before the proposal was replicated"));
  }

  /** A snapshot replaced everything up to `index`: nobody can tell what became of an orphan there. */
  settleOrphansBySnapshot(index: LogIndex): void {
    this.endOrphans(
      index,
      () => new NodeError("ERR_LEADERSHIP_LOST", "maybe-applied", "The leader changed while the proposal was replicated"),
    );
  }

  /** Fails what waited too long. */
  expire(nowMs: number): void {
    let unqueued = 0;
    for (let pending = this.pending.oldest(); pending !== undefined; pending = this.pending.oldest()) {
      if (pending.deadlineMs > nowMs) break;
      if (this.queued[unqueued] === pending) {
        unqueued++;
        this.fail(pending, new NodeError("ERR_NO_LEADER", "safe", `No leader was found within ${this.timeoutMs} ms`));
      } else {
        this.fail(pending, new NodeError("ERR_TIMED_OUT", "maybe-applied", `The proposal was not applied within ${this.timeoutMs} ms`));
      }
    }
    if (unqueued === 0) return;
    this.queued = this.queued.slice(unqueued);
    this.queuedEntries = this.queuedEntries.slice(unqueued);
  }

  failAll(error: NodeError): void {
    const all = this.pending.values();
    this.queued = [];
    this.queuedEntries = [];
    this.orphans = [];
    this.pending.clear();
    this.pendingBytes = 0;
    this.failed += all.length;
    for (const { completion } of all) this.guard.fail(completion, error);
  }

  /** Why nothing more of that size may wait; null if it may. */
  private overload(bytes: number): string | null {
    if (this.pending.size >= this.countMax) return `${this.countMax} proposals are waiting already`;
    const isTooMuch = this.pendingBytes > 0 && this.pendingBytes + bytes > this.bytesMax;
    return isTooMuch ? `Proposals of ${this.pendingBytes} bytes are waiting already` : null;
  }

  /** How many of the queued entries make up at most `pieceBytesMax`, at least one. */
  private pieceLength(): number {
    let bytes = 0;
    let count = 0;
    for (const entry of this.queuedEntries) {
      bytes += entry.length;
      if (count > 0 && bytes > pieceBytesMax) break;
      count++;
    }
    return count;
  }

  private endOrphans(index: LogIndex, makeError: () => NodeError): void {
    let settled = 0;
    for (const orphan of this.orphans) {
      if (orphan.index > index) break;
      settled++;
      if (this.pending.get(orphan.sequence) === orphan) this.fail(orphan, makeError());
    }
    if (settled > 0) this.orphans = this.orphans.slice(settled);
  }

  private fail(pending: Pending<Result>, error: NodeError): void {
    this.forget(pending);
    this.failed++;
    this.guard.fail(pending.completion, error);
  }

  private forget(pending: Pending<Result>): void {
    this.pending.delete(pending.sequence);
    this.pendingBytes -= pending.bytes;
  }
}
