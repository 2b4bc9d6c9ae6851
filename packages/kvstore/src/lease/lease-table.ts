import { assert } from "../assertion.ts";
import { orderOfBytes } from "../byte-order.ts";
import type { NodeRef } from "../node-arena.ts";
import { SnapshotFormatError } from "../snapshot-format.ts";
import type { SnapshotSection } from "../snapshot-section.ts";
import type { Lease } from "./lease.ts";
import { decodeLeases, encodedLeases } from "./lease-section.ts";

/** A leader's finding that a lease has run out. */
export interface LeaseExpiry {
  readonly id: bigint;
  readonly grantNumber: number;
  /** The leader's term. */
  readonly term: number;
}

export type RevokeResult =
  /** `revision` is the one that the deletion of the keys took, or the store's if the lease had none. */
  { readonly outcome: "revoked"; readonly revision: number; readonly deleted: number } | { readonly outcome: "not-found" };

/** What the table needs of the store that it is part of. */
export interface LeasedKeys {
  /** A copy of the key of a node. */
  keyOf(node: NodeRef): Uint8Array;
  /** Deletes the keys, which exist, at one revision. Returns the store's revision afterwards. */
  deleteKeys(keys: readonly Uint8Array[]): number;
}

interface LeaseEntry {
  lease: Lease;
  /** Null until the first key is attached. */
  nodes: Set<NodeRef> | null;
}

/**
 * The leases that were granted, and the keys attached to each. Knows no clock: the leader measures time and proposes expiries and
 * checkpoints. How many leases there may be is checked where a grant is asked for, because a limit of one member's configuration
 * can't decide what all members do.
 */
export class LeaseTable implements SnapshotSection {
  readonly name = "leases";
  readonly #keys: LeasedKeys;
  /** In the order in which they were granted. */
  readonly #entries = new Map<bigint, LeaseEntry>();

  constructor(keys: LeasedKeys) {
    this.#keys = keys;
  }

  get count(): number {
    return this.#entries.size;
  }

  has(id: bigint): boolean {
    return this.#entries.has(id);
  }

  get(id: bigint): Lease | null {
    return this.#entries.get(id)?.lease ?? null;
  }

  /** All leases in the order in which they were granted. */
  *list(): IterableIterator<Lease> {
    for (const { lease } of this.#entries.values()) yield lease;
  }

  /** The attached keys in byte order, none if the lease is unknown. */
  keysOf(id: bigint): readonly Uint8Array[] {
    const nodes = this.#entries.get(id)?.nodes ?? [];
    return Array.from(nodes, (node) => this.#keys.keyOf(node)).sort(orderOfBytes);
  }

  /** `id` is not 0n; both numbers are positive safe integers. */
  grant(id: bigint, ttlSeconds: number, grantNumber: number): "granted" | "already-exists" {
    assert(id !== 0n, "A lease has an id that is not 0");
    if (this.#entries.has(id)) return "already-exists";
    this.#entries.set(id, { lease: { id, ttlSeconds, grantNumber, remainingSeconds: 0 }, nodes: null });
    return "granted";
  }

  /** Ends a lease and deletes its keys in byte order at one revision. */
  revoke(id: bigint): RevokeResult {
    const entry = this.#entries.get(id);
    if (entry === undefined) return { outcome: "not-found" };
    const keys = this.keysOf(id);
    const revision = this.#keys.deleteKeys(keys);
    assert((entry.nodes?.size ?? 0) === 0, "A deleted key is attached to no lease");
    this.#entries.delete(id);
    return { outcome: "revoked", revision, deleted: keys.length };
  }

  /**
   * Ends a lease that has run out. The finding is stale if the id was granted anew since, or if the log has the entry under another
   * term than its leader's: then leadership has changed, and every lease got more time.
   */
  expire(expiry: LeaseExpiry, entryTerm: number): RevokeResult | { readonly outcome: "stale" } {
    const lease = this.get(expiry.id);
    if (lease === null) return { outcome: "not-found" };
    if (lease.grantNumber !== expiry.grantNumber || expiry.term !== entryTerm) return { outcome: "stale" };
    return this.revoke(expiry.id);
  }

  /** Notes what is left of a lease, between 0 (nothing noted) and its time to live. False if there is no such lease. */
  checkpoint(id: bigint, remainingSeconds: number): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    const { lease } = entry;
    entry.lease = { ...lease, remainingSeconds: Math.min(Math.max(remainingSeconds, 0), lease.ttlSeconds) };
    return true;
  }

  /** For the store: the node's newest version names the lease, which is there. */
  attach(id: bigint, node: NodeRef): void {
    const entry = this.#entries.get(id);
    assert(entry !== undefined, "A key is attached to a lease that is there");
    entry.nodes ??= new Set();
    entry.nodes.add(node);
  }

  /** For the store: the node was attached to the lease and is no longer. */
  detach(id: bigint, node: NodeRef): void {
    const wasAttached = this.#entries.get(id)?.nodes?.delete(node) === true;
    assert(wasAttached, "A key is detached from the lease that it is attached to");
  }

  /** Leases without their keys: records name the lease that they are attached to. */
  write(): IterableIterator<Uint8Array> {
    return encodedLeases(Array.from(this.#entries.values(), ({ lease }) => lease));
  }

  read(piece: Uint8Array): void {
    for (const lease of decodeLeases(piece)) {
      if (this.has(lease.id)) throw new SnapshotFormatError(`Lease ${lease.id} comes twice`);
      this.#entries.set(lease.id, { lease, nodes: null });
    }
  }
}
