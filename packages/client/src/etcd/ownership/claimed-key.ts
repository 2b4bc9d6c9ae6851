import type { KeyValue, ResponseHeader } from "@raftkv/api";
import type { RpcClock } from "@raftkv/raft-rpc";
import { type Bytes, toBytes } from "../../bytes.ts";
import type { CallOptions } from "../../call-options.ts";
import { ClientError } from "../../client-error.ts";
import { longestTimeoutMs } from "../../client-options.ts";
import type { EtcdClient } from "../etcd-client.ts";
import { leaseIdOf } from "../kv-requests.ts";
import type { Lease } from "../lease/lease.ts";
import { compare } from "../txn/compare.ts";
import { operation } from "../txn/operation.ts";
import type { Watch } from "../watch/watch-types.ts";
import { AcquisitionLimits } from "./acquisition-limits.ts";
import type { Ownership, OwnershipOptions } from "./ownership.ts";

/** The cluster and the time, as those that wait in line need them. */
export interface QueueContext {
  readonly etcd: EtcdClient;
  readonly clock: RpcClock;
}

/** Seconds; etcd's. */
const defaultTtl = 60;
const slash = 0x2f;

/** `<name>/`, under which everybody who waits has a key. */
export function queuePrefix(name: Bytes): Uint8Array {
  const bytes = toBytes(name);
  const prefix = new Uint8Array(bytes.length + 1);
  prefix.set(bytes);
  prefix[bytes.length] = slash;
  return prefix;
}

/**
 * A place in a line that has come to the front, by etcd's recipe, so that all its clients may stand in it: everybody puts a key under a
 * common prefix, attached to a lease; the one with the smallest create revision is the owner, and each other waits until those before it are
 * gone.
 *
 *   put key if missing ──► am I the oldest? ──yes──────────────► still there? ──► owner
 *                              │ no                                  ▲
 *                              └─► watch the youngest before me ── deleted, none left
 */
export class ClaimedKey implements Ownership {
  readonly key: Uint8Array;
  readonly leaseId: bigint;
  readonly fencingToken: number;
  /** Of the answer by which it became the owner. */
  readonly header: ResponseHeader;
  readonly #etcd: EtcdClient;
  readonly #ownLease: Lease | null;
  readonly #loss = new AbortController();
  readonly #guard: Watch;
  readonly #unfollow: () => void;
  #released: Promise<void> | null = null;

  private constructor(etcd: EtcdClient, place: Place, header: ResponseHeader) {
    this.#etcd = etcd;
    this.key = place.key;
    this.leaseId = place.leaseId;
    this.fencingToken = place.createRevision;
    this.header = header;
    this.#ownLease = place.ownLease;
    this.#unfollow = this.#followLease(place.leaseSignal);
    this.#guard = etcd.watch(place.key, { startRevision: header.revision + 1, only: "deletes" });
    void this.#guardKey();
  }

  /** Waits in the line of `name`. Rejects with ClientError; then nothing of it is left in the line. */
  static async acquire(context: QueueContext, name: Bytes, value: Bytes, options: OwnershipOptions): Promise<ClaimedKey> {
    const { etcd, clock } = context;
    const ownLease = options.lease === undefined ? await etcd.leases.hold(options.ttl ?? defaultTtl, signalOnly(options)) : null;
    const lease = options.lease ?? ownLease;
    if (lease === null) throw new ClientError("ERR_LEASE_LOST", "There is no lease");
    const leaseSignal = typeof lease === "bigint" ? null : (lease.signal ?? null);
    const limits = new AcquisitionLimits(clock, options, leaseSignal);
    const line = new Line(etcd, queuePrefix(name), limits.signal);
    let place: Place | null = null;
    try {
      place = { ...(await line.join(leaseIdOf(lease), value)), ownLease, leaseSignal };
      const header = await line.wait(place);
      return new ClaimedKey(etcd, place, header);
    } catch (error) {
      // If that fails too the lease ends it.
      if (ownLease !== null) await ownLease.revoke().catch(() => undefined);
      else if (place !== null) await leave(etcd, place.key, place.createRevision).catch(() => undefined);
      throw limits.reasonFor(error);
    } finally {
      limits.end();
    }
  }

  get signal(): AbortSignal {
    return this.#loss.signal;
  }

  /** Lets the next one in. May be called again. Rejects with ClientError; then the lease ends it in its time. */
  release(options?: CallOptions): Promise<void> {
    this.#released ??= this.#release(options);
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #release(options?: CallOptions): Promise<void> {
    this.#stop();
    if (this.#ownLease !== null) await this.#ownLease.revoke(options);
    else await leave(this.#etcd, this.key, this.fencingToken, options);
  }

  #followLease(signal: AbortSignal | null): () => void {
    if (signal === null) return () => undefined;
    const onLoss = (): void => this.#lose(signal.reason);
    signal.addEventListener("abort", onLoss);
    if (signal.aborted) onLoss();
    return () => signal.removeEventListener("abort", onLoss);
  }

  /** Somebody else may delete the key. */
  async #guardKey(): Promise<void> {
    try {
      for await (const { events } of this.#guard) {
        if (events.length > 0) this.#lose(new ClientError("ERR_LEASE_LOST", `Key ${nameOf(this.key)} was deleted`));
      }
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(reason: unknown): void {
    if (this.#released !== null || this.#loss.signal.aborted) return;
    this.#stop();
    this.#ownLease?.abandon();
    this.#loss.abort(reason);
  }

  #stop(): void {
    this.#unfollow();
    this.#guard.close();
  }
}

interface JoinedLine {
  readonly key: Uint8Array;
  readonly leaseId: bigint;
  readonly createRevision: number;
  /** Of the owner when it joined: its own if it is the one. */
  readonly ownerRevision: number;
  readonly header: ResponseHeader;
}

interface Place extends JoinedLine {
  readonly ownLease: Lease | null;
  readonly leaseSignal: AbortSignal | null;
}

/** Everybody who waits for one name. */
class Line {
  readonly #etcd: EtcdClient;
  readonly #prefix: Uint8Array;
  /** Only the signal ends a call: the line may be long. */
  readonly #options: CallOptions;

  constructor(etcd: EtcdClient, prefix: Uint8Array, signal: AbortSignal) {
    this.#etcd = etcd;
    this.#prefix = prefix;
    this.#options = { signal, timeoutMs: longestTimeoutMs };
  }

  /** Puts the key, if the same lease has none in the line yet: then that one is it, with the new value. */
  async join(leaseId: bigint, value: Bytes): Promise<JoinedLine> {
    const key = concatenated(this.#prefix, toBytes(leaseId.toString(16)));
    const owner = operation.range({ prefix: this.#prefix }, { sort: { by: "createRevision", order: "ascending" }, limit: 1 });
    const result = await this.#etcd
      .txn()
      .compare(compare.missing(key))
      .success(operation.put(key, value, { lease: leaseId }), owner)
      .failure(operation.get(key), owner)
      // The second time the key is there, and is only read.
      .commit({ ...this.#options, idempotent: true });
    const createRevision = result.succeeded ? result.header.revision : (result.responses[0]?.createRevision ?? 0);
    const ownerRevision = result.responses[1].kvs[0]?.createRevision ?? createRevision;
    if (!result.succeeded) await this.#update(key, createRevision, value, result.responses[0]);
    return { key, leaseId, createRevision, ownerRevision, header: result.header };
  }

  /** Resolves when nobody is before it, to the header of the read that said so. */
  async wait(place: JoinedLine): Promise<ResponseHeader> {
    if (place.ownerRevision === place.createRevision) return place.header;
    for (;;) {
      const before = await this.#etcd.range(
        { prefix: this.#prefix },
        { ...this.#options, maxCreateRevision: place.createRevision - 1, sort: { by: "createRevision", order: "descending" }, limit: 1 },
      );
      const last = before.kvs[0];
      if (last === undefined) return this.#checkThere(place);
      await this.#deletion(last.key, before.header.revision + 1);
    }
  }

  async #update(key: Uint8Array, createRevision: number, value: Bytes, stored: KeyValue | null): Promise<void> {
    if (stored === null || nameOf(stored.value) === nameOf(toBytes(value))) return;
    const put = operation.put(key, value, { lease: stored.lease });
    await this.#etcd
      .txn()
      .compare(compare.createRevision(key, "=", createRevision))
      .success(put)
      .commit(this.#options);
  }

  async #deletion(key: Uint8Array, startRevision: number): Promise<void> {
    const { signal } = this.#options;
    const watch = this.#etcd.watch(key, { startRevision, only: "deletes", ...(signal === undefined ? {} : { signal }) });
    for await (const { events } of watch) if (events.length > 0) return;
    signal?.throwIfAborted();
  }

  /** The own key may have gone with its lease meanwhile. */
  async #checkThere({ key, createRevision }: JoinedLine): Promise<ResponseHeader> {
    const { kvs, header } = await this.#etcd.range(key, this.#options);
    if (kvs[0]?.createRevision === createRevision) return header;
    throw new ClientError("ERR_LEASE_LOST", `Key ${nameOf(key)} was gone when its turn came`);
  }
}

/** Deletes the key, unless it is another by now. */
async function leave(etcd: EtcdClient, key: Uint8Array, createRevision: number, options: CallOptions = {}): Promise<void> {
  const gone = etcd
    .txn()
    .compare(compare.createRevision(key, "=", createRevision))
    .success(operation.delete(key));
  await gone.commit({ ...options, idempotent: true });
}

function signalOnly({ signal }: OwnershipOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}

function concatenated(prefix: Uint8Array, rest: Uint8Array): Uint8Array {
  const whole = new Uint8Array(prefix.length + rest.length);
  whole.set(prefix);
  whole.set(rest, prefix.length);
  return whole;
}

const decoder = new TextDecoder();

function nameOf(key: Uint8Array): string {
  return decoder.decode(key);
}
