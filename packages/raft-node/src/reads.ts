import type { LogIndex, ReadFailure, ReadResult } from "@raftkv/raft-core";
import { CompletionGuard } from "./completion-guard.ts";
import { quarantinedError } from "./dropped-proposal.ts";
import { type Completion, NodeError } from "./node-error.ts";
import { PendingWindow } from "./pending-window.ts";

interface ReadBatch {
  readonly completions: readonly Completion<LogIndex>[];
  readonly deadlineMs: number;
}

interface ConfirmedBatch extends ReadBatch {
  readonly index: LogIndex;
}

export interface ReadsOptions {
  /** Reads that may wait at once. */
  readonly countMax: number;
  readonly timeoutMs: number;
  /** A completion threw. */
  readonly onCompletionError: (error: unknown) => void;
}

/**
 * Linearizable reads (dissertation 6.4): all that arrive in one turn share a read index, and each is released once the state
 * machine has applied up to it.
 *
 *     add ──► queued ──ask──► asked (core) ──confirmed──► waiting for applied ──► succeed
 *                               ▲    │
 *                               └────┘ askAgain: failed for a reason that passes
 */
export class Reads {
  private readonly countMax: number;
  private readonly timeoutMs: number;
  private readonly guard: CompletionGuard;
  private queued: Completion<LogIndex>[] = [];
  private queuedDeadlineMs = 0;
  /** Failed in the core for a reason that passes. */
  private retrying: ReadBatch[] = [];
  private readonly asked = new PendingWindow<ReadBatch>();
  private confirmed: ConfirmedBatch[] = [];
  private nextRequestId = 1;
  private open = 0;

  constructor(options: ReadsOptions) {
    this.countMax = options.countMax;
    this.timeoutMs = options.timeoutMs;
    this.guard = new CompletionGuard(options.onCompletionError);
  }

  add(nowMs: number, completion: Completion<LogIndex>): void {
    if (this.open >= this.countMax) {
      completion.fail(new NodeError("ERR_OVERLOADED", "safe", `${this.countMax} reads are waiting already`));
      return;
    }
    this.open++;
    if (this.queued.length === 0) this.queuedDeadlineMs = nowMs + this.timeoutMs;
    this.queued.push(completion);
  }

  /** Asks the core once for everything that is queued. */
  ask(readIndex: (requestId: number) => void): void {
    if (this.queued.length === 0) return;
    const batch = { completions: this.queued, deadlineMs: this.queuedDeadlineMs };
    this.queued = [];
    this.askFor(batch, readIndex);
  }

  /** Asks again for what failed for a reason that passes. Called when a leader is known, and at each tick. */
  askAgain(readIndex: (requestId: number) => void): void {
    if (this.retrying.length === 0) return;
    const { retrying } = this;
    this.retrying = [];
    for (const batch of retrying) this.askFor(batch, readIndex);
  }

  /** Fails what waited too long. */
  expire(nowMs: number): void {
    const overdue: ReadBatch[] = [];
    const isInTime = (batch: ReadBatch): boolean => {
      if (batch.deadlineMs <= nowMs) overdue.push(batch);
      return batch.deadlineMs > nowMs;
    };
    if (this.retrying.length > 0) this.retrying = this.retrying.filter(isInTime);
    for (const [requestId, batch] of this.asked.entries()) if (!isInTime(batch)) this.asked.delete(requestId);
    if (this.confirmed.length > 0) this.confirmed = this.confirmed.filter(isInTime);
    for (const batch of overdue) {
      this.fail(batch, new NodeError("ERR_TIMED_OUT", "safe", `The read was not confirmed by a majority within ${this.timeoutMs} ms`));
    }
  }

  /** The core answered. */
  answered(result: ReadResult, applied: LogIndex): void {
    const batch = this.asked.get(result.requestId);
    if (batch === undefined) return;
    this.asked.delete(result.requestId);
    if ("failed" in result) this.failed(batch, result.failed);
    else if (result.index <= applied) this.succeed(batch, applied);
    else this.confirmed.push({ ...batch, index: result.index });
  }

  /** The state machine stands at `index`. */
  applied(index: LogIndex): void {
    if (this.confirmed.length === 0) return;
    const waiting: ConfirmedBatch[] = [];
    for (const batch of this.confirmed) {
      if (batch.index <= index) this.succeed(batch, index);
      else waiting.push(batch);
    }
    this.confirmed = waiting;
  }

  failAll(error: NodeError): void {
    const batches = [...this.asked.values(), ...this.retrying, ...this.confirmed, { completions: this.queued, deadlineMs: 0 }];
    this.asked.clear();
    this.retrying = [];
    this.confirmed = [];
    this.queued = [];
    this.open = 0;
    for (const batch of batches) for (const completion of batch.completions) this.guard.fail(completion, error);
  }

  private askFor(batch: ReadBatch, readIndex: (requestId: number) => void): void {
    const requestId = this.nextRequestId++;
    this.asked.add(requestId, batch);
    readIndex(requestId);
  }

  private failed(batch: ReadBatch, reason: ReadFailure): void {
    switch (reason) {
      case "no_leader":
      case "leadership_lost":
      case "timed_out":
        this.retrying.push(batch);
        return;
      case "overloaded":
        return this.fail(batch, new NodeError("ERR_OVERLOADED", "safe", "Too many reads are waiting already at the core of this member"));
      case "quarantined":
        return this.fail(batch, quarantinedError("safe"));
      default:
        return reason satisfies never;
    }
  }

  private succeed(batch: ReadBatch, applied: LogIndex): void {
    this.open -= batch.completions.length;
    for (const completion of batch.completions) this.guard.succeed(completion, applied);
  }

  private fail(batch: ReadBatch, error: NodeError): void {
    this.open -= batch.completions.length;
    for (const completion of batch.completions) this.guard.fail(completion, error);
  }
}
