import { encodeLeaseExpireCommand } from "@raftkv/api";
import type { DeadlineHeap } from "./deadline-heap.ts";
import type { HeldLease } from "./held-lease.ts";
import type { LeaderNode } from "./leader-node.ts";

/** etcd's numbers: a burst of expiries must not take the log from those who write. */
const perScanMax = 500;
const underWayMax = 16;

/** Ends leases whose time is over, by a command: only the log changes what is replicated. */
export class LeaseExpirer {
  private readonly node: LeaderNode;
  private readonly term: number;
  private readonly deadlines: DeadlineHeap<HeldLease>;
  private queue: HeldLease[] = [];
  private underWay = 0;

  constructor(node: LeaderNode, term: number, deadlines: DeadlineHeap<HeldLease>) {
    this.node = node;
    this.term = term;
    this.deadlines = deadlines;
  }

  /** Takes the next leases whose time is over; those of the last scan that still wait count as well. */
  scan(nowMs: number): void {
    while (this.queue.length < perScanMax) {
      const due = this.deadlines.takeDue(nowMs);
      if (due === null) break;
      due.item.isExpiring = true;
      this.queue.push(due.item);
    }
    this.proposeNext();
  }

  /** Leadership is over: what waits is the next leader's affair. */
  stop(): void {
    this.queue = [];
  }

  private proposeNext(): void {
    while (this.underWay < underWayMax) {
      const held = this.queue.shift();
      if (held === undefined) return;
      if (held.isGone) continue;
      this.underWay++;
      const { id, grantIndex } = held;
      const settle = (): void => this.settle(held);
      this.node.submit(encodeLeaseExpireCommand({ id, grantIndex, term: this.term }), { succeed: settle, fail: settle });
    }
  }

  /** A lease that could not be ended is tried again at the next scan. */
  private settle(held: HeldLease): void {
    this.underWay--;
    held.isExpiring = false;
    if (!held.isGone) this.deadlines.add(held.expiry);
    this.proposeNext();
  }
}
