import { create, encodeRequestCommand, raftkvCommandV1, toBinary } from "@raftkv/api";
import type { Completion } from "@raftkv/raft-node";
import type { ApplyResult } from "../state/apply-result.ts";
import type { DeadlineHeap } from "./deadline-heap.ts";
import { checkpointIntervalMs, type HeldLease } from "./held-lease.ts";
import type { LeaderNode } from "./leader-node.ts";

/** Leases in one command. */
const perCommandMax = 500;

/**
 * Writes down what is left of long leases, so that they don't get all of their time again whenever leadership changes. A lease that is kept
 * alive more often than the interval is never written down.
 */
export class LeaseCheckpointer {
  private readonly node: LeaderNode;
  private readonly term: number;
  private readonly deadlines: DeadlineHeap<HeldLease>;
  private isUnderWay = false;

  constructor(node: LeaderNode, term: number, deadlines: DeadlineHeap<HeldLease>) {
    this.node = node;
    this.term = term;
    this.deadlines = deadlines;
  }

  /** Writes down the next leases that are due, unless others are still on their way through the log. */
  scan(nowMs: number): void {
    if (this.isUnderWay) return;
    const due = this.takeDue(nowMs);
    if (due.length === 0) return;
    this.isUnderWay = true;
    for (const held of due) held.isCheckpointUnderWay = true;
    const settle = (): void => {
      this.isUnderWay = false;
      for (const held of due) held.isCheckpointUnderWay = false;
    };
    // Rounded up: the next leader must not end a lease too early.
    const checkpoints = due.map((held) => ({ ID: held.id, remainingTTL: BigInt(Math.ceil(held.remainingMs(nowMs) / 1_000)) }));
    this.node.submit(this.command(checkpoints), { succeed: settle, fail: settle });
  }

  /** Writes down that a lease has all of its time again, for its next leader. Must be applied before anybody is told so. */
  clear(held: HeldLease, nowMs: number, completion: Completion<ApplyResult>): void {
    if (held.checkpoint !== null) this.deadlines.move(held.checkpoint, nowMs + checkpointIntervalMs);
    this.node.submit(this.command([{ ID: held.id, remainingTTL: 0n }]), completion);
  }

  private takeDue(nowMs: number): readonly HeldLease[] {
    const due: HeldLease[] = [];
    while (due.length < perCommandMax) {
      const held = this.deadlines.takeDue(nowMs)?.item;
      if (held === undefined) break;
      if (held.isOver(nowMs) || held.checkpoint === null) continue;
      due.push(held);
      this.deadlines.move(held.checkpoint, nowMs + checkpointIntervalMs);
      this.deadlines.add(held.checkpoint);
    }
    return due;
  }

  private command(checkpoints: { readonly ID: bigint; readonly remainingTTL: bigint }[]): Uint8Array {
    const request = create(raftkvCommandV1.LeaseCheckpointsSchema, { checkpoints, term: BigInt(this.term) });
    return encodeRequestCommand("leaseCheckpoint", toBinary(raftkvCommandV1.LeaseCheckpointsSchema, request));
  }
}
