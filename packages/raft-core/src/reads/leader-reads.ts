import { assert } from "../assert.ts";
import type { Outbox } from "../outbox.ts";
import type { LogIndex, NodeId, ReadFailure } from "../types.ts";

/** Reads that wait at one member; more are refused at once. */
export const READS_MAX = 65_536;

interface RemoteRead {
  readonly from: NodeId;
  readonly requestId: number;
}

/** Reads that arrived in the same tick and share one position. */
interface ReadBatch {
  readonly deadline: number;
  readonly local: number[];
  readonly remote: RemoteRead[];
  /** 0 until it was issued. */
  position: number;
  index: LogIndex;
}

/**
 * Linearizable reads at a leader (dissertation 6.4). Each round of heartbeats carries the next position; a majority that answers
 * it proves that this member still led after the reads of the round had come in. Positions only grow and live as long as one
 * leadership, so an old answer never confirms a new read.
 *
 * ```text
 *   batches:  [ position 7 ][ position 8 ][ not issued ][ not issued ]
 *               waits for a majority        waits for the next Ready, or for the first commit of the term
 * ```
 */
export class LeaderReads {
  private readonly self: NodeId;
  private readonly outbox: Outbox;
  private readonly batches: ReadBatch[] = [];
  private issuedPosition = 0;
  private unissued = 0;
  private waiting = 0;

  constructor(self: NodeId, outbox: Outbox) {
    this.self = self;
    this.outbox = outbox;
  }

  /** Ticks are the core's own count; at `deadline` the read fails. */
  addLocal(requestId: number, deadline: number): void {
    if (this.waiting >= READS_MAX) {
      this.outbox.answerRead({ requestId, failed: "overloaded" });
      return;
    }
    this.openBatch(deadline).local.push(requestId);
    this.waiting++;
  }

  addRemote(from: NodeId, requestId: number, deadline: number): void {
    if (this.waiting >= READS_MAX) return this.respond({ from, requestId }, 0);
    this.openBatch(deadline).remote.push({ from, requestId });
    this.waiting++;
  }

  get hasUnissued(): boolean {
    return this.unissued > 0;
  }

  /** The last position given out. */
  get issued(): number {
    return this.issuedPosition;
  }

  /** A position for a round of heartbeats that no read waits for. */
  openRound(): number {
    return ++this.issuedPosition;
  }

  get waitingCount(): number {
    return this.waiting;
  }

  /** Highest position that waits for a majority, 0 if none does. */
  get unconfirmed(): number {
    return this.batches.length > this.unissued ? this.issuedPosition : 0;
  }

  /** Gives everything that waits the next position. `commit` is a valid answer for all of it. */
  issue(commit: LogIndex): void {
    this.issuedPosition++;
    for (let i = this.batches.length - this.unissued; i < this.batches.length; i++) {
      const batch = this.batches[i];
      assert(batch !== undefined && batch.position === 0, "A read gets one position");
      batch.position = this.issuedPosition;
      batch.index = commit;
    }
    this.unissued = 0;
  }

  /** A majority has answered `position`: everything up to it may be served, in order. */
  confirm(position: number): void {
    assert(position <= this.issuedPosition, "Only issued positions are confirmed");
    let count = 0;
    for (const batch of this.batches) {
      if (batch.position === 0 || batch.position > position) break;
      this.release(batch);
      count++;
    }
    this.batches.splice(0, count);
  }

  expire(now: number): void {
    let count = 0;
    for (const batch of this.batches) {
      if (batch.deadline > now) break;
      this.fail(batch, "timed_out");
      if (batch.position === 0) this.unissued--;
      count++;
    }
    this.batches.splice(0, count);
  }

  failAll(reason: ReadFailure): void {
    for (const batch of this.batches) this.fail(batch, reason);
    this.batches.length = 0;
    this.unissued = 0;
  }

  private openBatch(deadline: number): ReadBatch {
    const last = this.batches[this.batches.length - 1];
    if (last !== undefined && last.position === 0 && last.deadline === deadline) return last;
    const batch: ReadBatch = { deadline, local: [], remote: [], position: 0, index: 0 };
    this.batches.push(batch);
    this.unissued++;
    return batch;
  }

  private release(batch: ReadBatch): void {
    this.waiting -= batch.local.length + batch.remote.length;
    for (const requestId of batch.local) this.outbox.answerRead({ requestId, index: batch.index });
    for (const read of batch.remote) this.respond(read, batch.index);
  }

  private fail(batch: ReadBatch, reason: ReadFailure): void {
    this.waiting -= batch.local.length + batch.remote.length;
    for (const requestId of batch.local) this.outbox.answerRead({ requestId, failed: reason });
    for (const read of batch.remote) this.respond(read, 0);
  }

  private respond(read: RemoteRead, index: LogIndex): void {
    this.outbox.send({ type: "readIndexResponse", from: this.self, to: read.from, requestId: read.requestId, index });
  }
}
