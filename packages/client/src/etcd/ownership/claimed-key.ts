import type { ResponseHeader } from "@raftkv/api";
import { onAbort } from "../../abort-listeners.ts";
import type { Bytes } from "../../bytes.ts";
import type { CallOptions } from "../../call-options.ts";
import { ClientError } from "../../client-error.ts";
import { leaseIdOf } from "../kv-requests.ts";
import type { Lease } from "../lease/lease.ts";
import { AcquisitionLimits } from "./acquisition-limits.ts";
import { deletionOf } from "./key-deletion.ts";
import type { Ownership, OwnershipOptions } from "./ownership.ts";
import type { QueueContext } from "./queue-context.ts";
import { type JoinedLine, leaveLine, nameOf, queuePrefix, WaitingLine } from "./waiting-line.ts";

/** Seconds; etcd's. */
const defaultTtl = 60;

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
  readonly #context: QueueContext;
  readonly #hold: LeaseHold;
  readonly #loss = new AbortController();
  /** Nobody watches the key any more. */
  readonly #end = new AbortController();
  /** Does not listen to the lease any more. */
  #unfollow = (): void => undefined;
  #released: Promise<void> | null = null;

  private constructor(context: QueueContext, place: JoinedLine, hold: LeaseHold, header: ResponseHeader) {
    this.#context = context;
    this.key = place.key;
    this.leaseId = place.leaseId;
    this.fencingToken = place.createRevision;
    this.header = header;
    this.#hold = hold;
    this.#unfollow = onAbort(hold.signal, () => this.#lose(hold.signal?.reason));
    if (!this.signal.aborted) void this.#guardKey();
  }

  /** Waits in the line of `name`. Rejects with ClientError; then nothing of it is left in the line. */
  static async acquire(context: QueueContext, name: Bytes, value: Bytes, options: OwnershipOptions): Promise<ClaimedKey> {
    const hold = await holdLease(context, options);
    const limits = new AcquisitionLimits(context.clock, options, hold.signal);
    const line = new WaitingLine(context, queuePrefix(name), limits.signal);
    let place: JoinedLine | null = null;
    try {
      place = await line.join(hold.id, value);
      const header = await line.wait(place);
      return new ClaimedKey(context, place, hold, header);
    } catch (error) {
      // If that fails too the lease ends it.
      if (hold.own !== null) await hold.own.revoke().catch(() => undefined);
      else if (place !== null) await leaveLine(context.kv, place.key, place.createRevision).catch(() => undefined);
      throw limits.reasonFor(error);
    } finally {
      limits.end();
    }
  }

  get signal(): AbortSignal {
    return this.#loss.signal;
  }

  /** Lets the next one in, unless it was lost. May be called again. Rejects with ClientError; then the lease ends it in its time. */
  release(options?: CallOptions): Promise<void> {
    this.#released ??= this.signal.aborted ? Promise.resolve() : this.#release(options);
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #release(options?: CallOptions): Promise<void> {
    this.#stop();
    if (this.#hold.own !== null) await this.#hold.own.revoke(options);
    else await leaveLine(this.#context.kv, this.key, this.fencingToken, options);
  }

  /** Somebody else may delete the key. */
  async #guardKey(): Promise<void> {
    const awaited = { key: this.key, createRevision: this.fencingToken, revision: this.header.revision };
    try {
      await deletionOf(this.#context, awaited, this.#end.signal);
      this.#lose(new ClientError("ERR_LEASE_LOST", `Key ${nameOf(this.key)} was deleted`));
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(reason: unknown): void {
    if (this.#released !== null || this.#loss.signal.aborted) return;
    this.#stop();
    this.#loss.abort(reason);
    // It holds nothing any more. If nobody can be reached its time ends it.
    this.#hold.own?.revoke().catch(() => undefined);
  }

  #stop(): void {
    this.#unfollow();
    this.#end.abort();
  }
}

/** The lease that the key is attached to. */
interface LeaseHold {
  readonly id: bigint;
  /** Aborts when it is lost, if anybody can tell. */
  readonly signal: AbortSignal | undefined;
  /** Null: it is the caller's. */
  readonly own: Lease | null;
}

async function holdLease({ leases }: QueueContext, { lease, ttl = defaultTtl, signal }: OwnershipOptions): Promise<LeaseHold> {
  if (lease === undefined) {
    const own = await leases.hold(ttl, signal === undefined ? {} : { signal });
    return { id: own.id, signal: own.signal, own };
  }
  return { id: leaseIdOf(lease), signal: typeof lease === "bigint" ? undefined : lease.signal, own: null };
}
