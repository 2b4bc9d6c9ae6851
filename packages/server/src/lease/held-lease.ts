import { Deadline } from "./deadline-heap.ts";
import type { LeaseAnswer } from "./lease-answer.ts";

/** Leases with more time than this have what is left of it written to the log, as often (etcd's interval). */
export const checkpointIntervalMs = 5 * 60 * 1000;

/** A lease as the leader holds it: with the moment at which it runs out. */
export class HeldLease {
  readonly id: bigint;
  /** Of the command that granted it: an id may be granted again. */
  readonly grantNumber: number;
  readonly ttlSeconds: number;
  readonly expiry: Deadline<HeldLease>;
  /** When what is left is written to the log next; null for a lease that is too short for it. */
  readonly checkpoint: Deadline<HeldLease> | null;
  /** A checkpoint is on its way through the log. */
  isCheckpointUnderWay = false;
  /** Its time is over: its end waits for its turn, is on its way through the log, or is tried again. */
  isExpiring = false;
  /** Revoked or expired, or held no longer because leadership is over. */
  isGone = false;
  /** Renewals that came too late, and wait until the lease is gone. */
  readonly waiting: LeaseAnswer<number>[] = [];

  constructor(lease: Pick<HeldLease, "id" | "grantNumber" | "ttlSeconds">, nowMs: number, expiresMs: number) {
    this.id = lease.id;
    this.grantNumber = lease.grantNumber;
    this.ttlSeconds = lease.ttlSeconds;
    this.expiry = new Deadline<HeldLease>(this, expiresMs);
    const isLong = 1_000 * lease.ttlSeconds > checkpointIntervalMs;
    this.checkpoint = isLong ? new Deadline<HeldLease>(this, nowMs + checkpointIntervalMs) : null;
  }

  isOver(nowMs: number): boolean {
    return this.isExpiring || this.expiry.atMs <= nowMs;
  }

  remainingMs(nowMs: number): number {
    return this.expiry.atMs - nowMs;
  }
}
