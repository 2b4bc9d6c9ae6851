import type { ChangeRefusal, Configuration, ConfigurationChange, LogIndex, ProposeDropped, ProposeOutcome } from "@raftkv/raft-core";
import { BatchWriter } from "./command-batch.ts";
import { meaningOf } from "./dropped-proposal.ts";
import { type Completion, NodeError } from "./node-error.ts";
import type { Random } from "./ports.ts";

/**
 * `applied`: the change was applied here, as far as it could be; `configuration` is what is in force since then, and joint if the
 * change has to be left. `refused`: this member leads and did not propose it.
 */
export type MembershipChangeResult =
  | { readonly outcome: "applied"; readonly index: LogIndex; readonly configuration: Configuration }
  | { readonly outcome: "refused"; readonly reason: ChangeRefusal };

interface Pending {
  readonly change: ConfigurationChange;
  readonly completion: Completion<MembershipChangeResult>;
  readonly deadlineMs: number;
  /** `orphaned`: appended under a leadership that is over. */
  state: "queued" | "proposed" | "orphaned";
  /** Where this member appended it as leader, 0 if it did not. */
  index: LogIndex;
}

export interface MembershipChangesOptions {
  readonly random: Random;
  readonly timeoutMs: number;
}

/** Changes that may wait at once; there is seldom more than one. */
const CHANGES_MAX = 64;

/**
 * Changes of members that somebody waits for, from their arrival until they are applied, refused or given up. They are known again by
 * their context, which is a batch of one command.
 */
export class MembershipChanges {
  private readonly batches: BatchWriter;
  private readonly timeoutMs: number;
  private readonly pending = new Map<number, Pending>();
  private nextSequence = 0;

  constructor({ random, timeoutMs }: MembershipChangesOptions) {
    this.batches = new BatchWriter(random);
    this.timeoutMs = timeoutMs;
  }

  add(change: ConfigurationChange, nowMs: number, completion: Completion<MembershipChangeResult>): void {
    if (this.pending.size >= CHANGES_MAX) {
      completion.fail(new NodeError("ERR_OVERLOADED", "safe", `${CHANGES_MAX} changes of members are waiting already`));
      return;
    }
    const sequence = this.nextSequence;
    this.nextSequence = (sequence + 1) >>> 0;
    this.batches.add(sequence, change.context);
    const context = this.batches.close();
    this.pending.set(sequence, {
      change: { ...change, context },
      completion,
      deadlineMs: nowMs + this.timeoutMs,
      state: "queued",
      index: 0,
    });
  }

  /** Offers what is queued to the core. What it can't take for want of a leader stays. */
  offer(propose: (change: ConfigurationChange) => ProposeOutcome): void {
    for (const [sequence, pending] of this.pending) {
      if (pending.state !== "queued") continue;
      const outcome = propose(pending.change);
      if (outcome.outcome === "dropped") this.dropped(sequence, pending, outcome.reason);
      else pending.state = "proposed";
      if (outcome.outcome === "accepted") pending.index = outcome.firstIndex;
    }
  }

  /** A change was applied here. It answers whoever waits for it, if it is one of ours. */
  applied(context: Uint8Array, result: Extract<MembershipChangeResult, { readonly outcome: "applied" }>): void {
    const sequence = this.batches.ownSequence(context);
    const pending = this.pending.get(sequence);
    if (pending === undefined) return;
    this.pending.delete(sequence);
    pending.completion.succeed(result);
  }

  /** This member leads no longer: what it appended may be overwritten. */
  leadershipLost(): void {
    for (const pending of this.pending.values()) if (pending.index > 0) pending.state = "orphaned";
  }

  /** Everything up to `index` was applied one by one: an orphan there that was not answered has been overwritten. */
  settleOrphans(index: LogIndex): void {
    this.failOrphans(index, () => new NodeError("ERR_LEADERSHIP_LOST", "safe", "The leader changed before the change was replicated"));
  }

  /** A snapshot replaced everything up to `index`: nobody can tell what became of an orphan there. */
  settleOrphansBySnapshot(index: LogIndex): void {
    this.failOrphans(
      index,
      () => new NodeError("ERR_LEADERSHIP_LOST", "maybe-applied", "The leader changed while the change was replicated"),
    );
  }

  /** Fails what waited too long. */
  expire(nowMs: number): void {
    this.failWhere(
      ({ deadlineMs }) => deadlineMs <= nowMs,
      ({ state }) =>
        state === "queued"
          ? new NodeError("ERR_NO_LEADER", "safe", `No leader was found within ${this.timeoutMs} ms`)
          : new NodeError("ERR_TIMED_OUT", "maybe-applied", `The change was not applied within ${this.timeoutMs} ms`),
    );
  }

  failAll(error: NodeError): void {
    this.failWhere(
      () => true,
      () => error,
    );
  }

  private dropped(sequence: number, { completion }: Pending, reason: ProposeDropped): void {
    const meaning = meaningOf(reason);
    if (meaning === "wait") return;
    this.pending.delete(sequence);
    if (meaning.refusal === null) completion.fail(meaning.error);
    else completion.succeed({ outcome: "refused", reason: meaning.refusal });
  }

  private failOrphans(index: LogIndex, makeError: () => NodeError): void {
    this.failWhere((pending) => pending.state === "orphaned" && pending.index <= index, makeError);
  }

  /** Called at every apply, nearly always for nothing. */
  private failWhere(isMeant: (pending: Pending) => boolean, errorOf: (pending: Pending) => NodeError): void {
    if (this.pending.size === 0) return;
    for (const [sequence, pending] of this.pending) {
      if (!isMeant(pending)) continue;
      this.pending.delete(sequence);
      pending.completion.fail(errorOf(pending));
    }
  }
}
