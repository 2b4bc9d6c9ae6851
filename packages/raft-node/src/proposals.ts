import type { LogIndex, ProposeOutcome } from "@raftkv/raft-core";
import { BatchWriter, withoutFirst } from "./command-batch.ts";
import { CompletionGuard } from "./completion-guard.ts";
import { meaningOf } from "./dropped-proposal.ts";
import { type Completion, NodeError } from "./node-error.ts";
import { PendingWindow } from "./pending-window.ts";
import type { Random } from "./ports.ts";

/** Of batches that are proposed, and so forwarded, together. */
const pieceBytesMax = 1024 * 1024;

interface Pending<Result> {
  readonly sequence: number;
  readonly bytes: number;
  readonly completion: Completion<Result>;
  readonly deadlineMs: number;
  /** The core has not taken it yet. */
  isQueued: boolean;
  /** Where this member appended it as leader; 0 if it was forwarded or not yet proposed. */
  index: LogIndex;
}

/** What becomes one entry of the log. */
interface Batch<Result> {
  readonly data: Uint8Array;
  readonly pending: readonly Pending<Result>[];
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
  private readonly writer: BatchWriter;
  private readonly countMax: number;
  private readonly bytesMax: number;
  private readonly timeoutMs: number;
  private readonly guard: CompletionGuard;
  private pendingBytes = 0;
  /** In order of arrival, so that the oldest deadline comes first. */
  private readonly pending = new PendingWindow<Pending<Result>>();
  private queue: Batch<Result>[] = [];
  /** Of the batch that is written: all that came since the last offer, as far as there is room. */
  private unfinished: Pending<Result>[] = [];
  /** Appended under a leadership that is over, ascending by index. */
  private orphans: Pending<Result>[] = [];
  private nextSequence = 0;
  private failed = 0;

  constructor(options: ProposalsOptions) {
    this.writer = new BatchWriter(options.random);
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
    const pending: Pending<Result> = {
      sequence,
      bytes: command.length,
      completion,
      deadlineMs: nowMs + this.timeoutMs,
      isQueued: true,
      index: 0,
    };
    this.pending.add(sequence, pending);
    if (!this.writer.hasRoomFor(command.length)) this.finishBatch();
    this.writer.add(sequence, command);
    this.unfinished.push(pending);
  }

  /** Offers everything that is queued to the core, in pieces that fit a message. What has to wait for a leader stays. */
  offer(propose: (entries: readonly Uint8Array[]) => ProposeOutcome): void {
    this.finishBatch();
    while (this.queue.length > 0) {
      const offered = this.queue.slice(0, this.pieceLength());
      const outcome = propose(offered.map(({ data }) => data));
      const meaning = outcome.outcome === "dropped" ? meaningOf(outcome.reason) : null;
      if (meaning === "wait") return;
      this.queue = this.queue.slice(offered.length);
      let index = outcome.outcome === "accepted" ? outcome.firstIndex : 0;
      for (const { pending } of offered) {
        for (const each of pending) {
          each.isQueued = false;
          each.index = index;
          if (meaning !== null) this.fail(each, meaning.error);
        }
        if (index > 0) index++;
      }
    }
  }

  /** The sequence of the first command of a batch of this member's, -1 for anybody else's. */
  ownSequence(batch: Uint8Array): number {
    return this.writer.ownSequence(batch);
  }

  /** A command of this member's was applied here. */
  applied(sequence: number, result: Result): void {
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
    let expired = 0;
    for (let pending = this.pending.oldest(); pending !== undefined; pending = this.pending.oldest()) {
      if (pending.deadlineMs > nowMs) break;
      if (pending.isQueued) {
        expired++;
        this.fail(pending, new NodeError("ERR_NO_LEADER", "safe", `No leader was found within ${this.timeoutMs} ms`));
      } else {
        this.fail(pending, new NodeError("ERR_TIMED_OUT", "maybe-applied", `The proposal was not applied within ${this.timeoutMs} ms`));
      }
    }
    if (expired > 0) this.dropQueued(expired);
  }

  failAll(error: NodeError): void {
    const all = this.pending.values();
    this.finishBatch();
    this.queue = [];
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

  private finishBatch(): void {
    if (this.unfinished.length === 0) return;
    this.queue.push({ data: this.writer.close(), pending: this.unfinished });
    this.unfinished = [];
  }

  /** Takes the first commands out of the queue. */
  private dropQueued(count: number): void {
    this.finishBatch();
    let left = count;
    while (left > 0) {
      const batch = this.queue.shift();
      if (batch === undefined) return;
      const dropped = Math.min(left, batch.pending.length);
      left -= dropped;
      if (dropped < batch.pending.length) {
        this.queue.unshift({ data: withoutFirst(batch.data, dropped), pending: batch.pending.slice(dropped) });
      }
    }
  }

  /** How many of the queued batches make up at most `pieceBytesMax`, at least one. */
  private pieceLength(): number {
    let bytes = 0;
    let count = 0;
    for (const { data } of this.queue) {
      bytes += data.length;
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
