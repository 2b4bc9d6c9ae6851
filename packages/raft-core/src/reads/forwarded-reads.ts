import type { Outbox } from "../outbox.ts";
import type { LogIndex, NodeId, RandomSource, ReadFailure } from "../types.ts";
import { READS_MAX } from "./leader-reads.ts";

/** Reads that share one request to the leader. */
interface ForwardedBatch {
  readonly wireId: number;
  readonly deadline: number;
  readonly requestIds: number[];
  sent: boolean;
}

/**
 * Reads of a follower, on their way to its leader and back. All reads of one Ready share a request. Requests are numbered from a
 * random start, so that an answer to a request of this member's life before a crash is never taken for a new one.
 */
export class ForwardedReads {
  private readonly self: NodeId;
  private readonly outbox: Outbox;
  private readonly batches: ForwardedBatch[] = [];
  private nextWireId: number;
  private waiting = 0;

  constructor(self: NodeId, outbox: Outbox, random: RandomSource) {
    this.self = self;
    this.outbox = outbox;
    this.nextWireId = random.below(2 ** 32) * 2 ** 20 + 1;
  }

  add(requestId: number, deadline: number): void {
    if (this.waiting >= READS_MAX) {
      this.outbox.answerRead({ requestId, failed: "overloaded" });
      return;
    }
    const last = this.batches[this.batches.length - 1];
    if (last !== undefined && !last.sent && last.deadline === deadline) last.requestIds.push(requestId);
    else this.batches.push({ wireId: this.nextWireId++, deadline, requestIds: [requestId], sent: false });
    this.waiting++;
  }

  get waitingCount(): number {
    return this.waiting;
  }

  get hasUnsent(): boolean {
    return this.batches[this.batches.length - 1]?.sent === false;
  }

  sendTo(leader: NodeId): void {
    for (const batch of this.batches) {
      if (batch.sent) continue;
      batch.sent = true;
      this.outbox.send({ type: "readIndexRequest", from: this.self, to: leader, requestId: batch.wireId });
    }
  }

  /** The leader's answer; `index` 0 is a failure. Answers to requests that were given up are ignored. */
  answered(wireId: number, index: LogIndex): void {
    const place = this.batches.findIndex((batch) => batch.wireId === wireId);
    const batch = this.batches[place];
    if (batch === undefined) return;
    this.batches.splice(place, 1);
    if (index === 0) return this.fail(batch, "leadership_lost");
    this.waiting -= batch.requestIds.length;
    for (const requestId of batch.requestIds) this.outbox.answerRead({ requestId, index });
  }

  expire(now: number): void {
    let count = 0;
    for (const batch of this.batches) {
      if (batch.deadline > now) break;
      this.fail(batch, "timed_out");
      count++;
    }
    this.batches.splice(0, count);
  }

  failAll(reason: ReadFailure): void {
    for (const batch of this.batches) this.fail(batch, reason);
    this.batches.length = 0;
  }

  private fail(batch: ForwardedBatch, reason: ReadFailure): void {
    this.waiting -= batch.requestIds.length;
    for (const requestId of batch.requestIds) this.outbox.answerRead({ requestId, failed: reason });
  }
}
