import type { Lease, LeaseTable } from "@raftkv/kvstore";
import { type Clock, NodeError } from "@raftkv/raft-node";
import { DeadlineHeap } from "./deadline-heap.ts";
import { ExpirySpread } from "./expiry-spread.ts";
import { checkpointIntervalMs, HeldLease } from "./held-lease.ts";
import type { LeaderNode } from "./leader-node.ts";
import { type LeaseAnswer, type LeaseTime, noLeaseTime } from "./lease-answer.ts";
import { LeaseCheckpointer } from "./lease-checkpointer.ts";
import type { LeaseCounts } from "./lease-counts.ts";
import { LeaseExpirer } from "./lease-expirer.ts";

/** From so many leases on, those that a new leader takes over run out at most this many in a second (etcd's numbers). */
const spreadFromCount = 1_000;
const spreadPerSecond = 750;
/** Renewals that may wait for leases that are being ended. */
const waitingMax = 10_000;

export interface LeaseTenureOptions {
  readonly node: LeaderNode;
  /** Its table is another one after a snapshot was restored. */
  readonly store: { readonly leases: Pick<LeaseTable, "get" | "count"> };
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Of the leadership. */
  readonly term: number;
  /** What every lease gets besides its time when it is taken over: as long its clients may not have found the new leader. */
  readonly extensionMs: number;
  readonly counts: LeaseCounts;
}

/**
 * The leases during one leadership, with their deadlines. Nobody writes deadlines down: the next leader gives every lease its time anew, so
 * a lease may live longer than was asked, and never shorter.
 *
 *     taken over or granted ──► held ──time is over──► expiring ──applied──► gone
 *                                ▲ │                      │
 *                        renewed └─┘                      └── could not be proposed: tried again
 */
export class LeaseTenure {
  readonly term: number;
  private readonly store: LeaseTenureOptions["store"];
  private readonly clock: LeaseTenureOptions["clock"];
  private readonly extensionMs: number;
  private readonly counts: LeaseCounts;
  private readonly held = new Map<bigint, HeldLease>();
  private readonly expiries = new DeadlineHeap<HeldLease>();
  private readonly checkpoints = new DeadlineHeap<HeldLease>();
  private readonly expirer: LeaseExpirer;
  private readonly checkpointer: LeaseCheckpointer;
  /** Null if there are too few leases to spread. */
  private readonly spread: ExpirySpread | null;
  private waitingCount = 0;
  private isEnded = false;

  constructor({ node, store, clock, term, extensionMs, counts }: LeaseTenureOptions) {
    this.term = term;
    this.store = store;
    this.clock = clock;
    this.extensionMs = extensionMs;
    this.counts = counts;
    this.expirer = new LeaseExpirer({ node, term, deadlines: this.expiries, counts });
    this.checkpointer = new LeaseCheckpointer(node, term, this.checkpoints);
    this.spread = store.leases.count < spreadFromCount ? null : new ExpirySpread(spreadPerSecond);
  }

  /** Takes a lease over from the leader before, with what that one noted to be left or all of its time, and the extension. */
  takeOver(lease: Lease): HeldLease {
    const known = this.held.get(lease.id);
    if (known !== undefined) return known;
    const seconds = lease.remainingSeconds === 0 ? lease.ttlSeconds : lease.remainingSeconds;
    const expiresMs = this.clock.monotonicMs() + 1_000 * seconds + this.extensionMs;
    return this.hold(lease, this.spread === null ? expiresMs : this.spread.place(expiresMs));
  }

  /** The log did something to a lease: granted, noted or ended it. */
  changed(id: bigint): void {
    const lease = this.store.leases.get(id);
    const held = this.held.get(id);
    if (held?.grantNumber === lease?.grantNumber) return;
    if (held !== undefined) this.letGo(held);
    if (lease !== null) this.hold(lease, this.clock.monotonicMs() + 1_000 * lease.ttlSeconds);
  }

  /**
   * Gives a lease all of its time again and answers how much that is, in seconds; 0 if there is no such lease. Leadership was proven since
   * this was asked for.
   */
  renew(id: bigint, answer: LeaseAnswer<number>): void {
    if (this.isEnded) return answer.notPrimary();
    const lease = this.store.leases.get(id);
    if (lease === null) return answer.succeed(0);
    const held = this.takeOver(lease);
    const nowMs = this.clock.monotonicMs();
    if (held.isOver(nowMs)) return this.wait(held, answer);
    // The next leader would go by what was noted before this renewal.
    if (lease.remainingSeconds > 0 || held.isCheckpointUnderWay) return this.clearCheckpoint(held, nowMs, answer);
    this.expiries.move(held.expiry, nowMs + 1_000 * held.ttlSeconds);
    if (held.checkpoint !== null) this.checkpoints.move(held.checkpoint, nowMs + checkpointIntervalMs);
    this.counts.renewed++;
    answer.succeed(held.ttlSeconds);
  }

  timeToLive(id: bigint): LeaseTime {
    const lease = this.store.leases.get(id);
    if (lease === null) return noLeaseTime;
    const held = this.takeOver(lease);
    const nowMs = this.clock.monotonicMs();
    if (held.isOver(nowMs)) return noLeaseTime;
    return { ttl: Math.floor(held.remainingMs(nowMs) / 1_000), grantedTtl: held.ttlSeconds };
  }

  /** Until the lease runs out; undefined for one that is not held. */
  remainingMs(id: bigint): number | undefined {
    return this.held.get(id)?.remainingMs(this.clock.monotonicMs());
  }

  /** Ends leases whose time is over, and notes what is left of long ones. */
  scan(): void {
    const nowMs = this.clock.monotonicMs();
    this.expirer.scan(nowMs);
    this.checkpointer.scan(nowMs);
  }

  /** This member leads no longer. */
  end(): void {
    this.isEnded = true;
    this.expirer.stop();
    for (const held of this.held.values()) {
      held.isGone = true;
      for (const answer of held.waiting) answer.notPrimary();
    }
    this.held.clear();
  }

  private hold(lease: Lease, expiresMs: number): HeldLease {
    const held = new HeldLease(lease, this.clock.monotonicMs(), expiresMs);
    this.held.set(held.id, held);
    this.expiries.add(held.expiry);
    if (held.checkpoint !== null) this.checkpoints.add(held.checkpoint);
    return held;
  }

  /** It is gone, as those hear who waited for that. */
  private letGo(held: HeldLease): void {
    held.isGone = true;
    this.held.delete(held.id);
    this.expiries.remove(held.expiry);
    if (held.checkpoint !== null) this.checkpoints.remove(held.checkpoint);
    this.waitingCount -= held.waiting.length;
    for (const answer of held.waiting) answer.succeed(0);
  }

  private wait(held: HeldLease, answer: LeaseAnswer<number>): void {
    if (this.waitingCount >= waitingMax) {
      return answer.fail(new NodeError("ERR_OVERLOADED", "safe", `${waitingMax} renewals wait for leases that are being ended`));
    }
    this.waitingCount++;
    held.waiting.push(answer);
  }

  private clearCheckpoint(held: HeldLease, nowMs: number, answer: LeaseAnswer<number>): void {
    this.checkpointer.clear(held, nowMs, {
      succeed: ({ outcome }) => (outcome === "leases-checkpointed" ? this.renew(held.id, answer) : answer.notPrimary()),
      fail: (error) => answer.fail(error),
    });
  }
}
