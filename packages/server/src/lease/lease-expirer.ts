import { encodeLeaseExpireCommand } from "@raftkv/api";
import type { DeadlineHeap } from "./deadline-heap.ts";
import type { HeldLease } from "./held-lease.ts";
import type { LeaderNode } from "./leader-node.ts";
import type { LeaseCounts } from "./lease-counts.ts";

/** etcd's numbers: a burst of expiries must not take the log from those who write. */
const perScanMax = 500;
const underWayMax = 16;
/** After the cluster refused to end a lease, as it does while its members' stores differ. */
const refusedRetryMs = 5_000;

export interface LeaseExpirerOptions {
  readonly node: LeaderNode;
  /** Of the leadership. */
  readonly term: number;
  readonly deadlines: DeadlineHeap<HeldLease>;
  readonly counts: LeaseCounts;
}

/** Ends leases whose time is over, by a command: only the log changes what is replicated. */
export class LeaseExpirer {
  private readonly node: LeaderNode;
  private readonly term: number;
  private readonly deadlines: DeadlineHeap<HeldLease>;
  private readonly counts: LeaseCounts;
  private queue: HeldLease[] = [];
  private underWay = 0;
  private lastScanMs = 0;

  constructor({ node, term, deadlines, counts }: LeaseExpirerOptions) {
    this.node = node;
    this.term = term;
    this.deadlines = deadlines;
    this.counts = counts;
  }

  /** Takes the next leases whose time is over; those of the last scan that still wait count as well. */
  scan(nowMs: number): void {
    this.lastScanMs = nowMs;
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
      const { id, grantNumber } = held;
      this.node.submit(encodeLeaseExpireCommand({ id, grantNumber, term: this.term }), {
        succeed: ({ outcome }) => {
          if (outcome === "lease-revoked") this.counts.expired++;
          this.settle(held, this.lastScanMs + refusedRetryMs);
        },
        fail: () => this.settle(held, this.lastScanMs),
      });
    }
  }

  /** A lease that is not gone is tried again; nobody renews it meanwhile. */
  private settle(held: HeldLease, againMs: number): void {
    this.underWay--;
    if (!held.isGone) {
      this.deadlines.move(held.expiry, againMs);
      this.deadlines.add(held.expiry);
    }
    this.proposeNext();
  }
}
