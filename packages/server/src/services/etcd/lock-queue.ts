import { encodeRequestCommand, encodeTxnRequest, type RangeRequest, type RequestOp, type TxnRequest } from "@raftkv/api";
import { checkTxn, type KeySpan, type KeyValue, keySpanOf, type TxnResult, type WatchHub, type WatchReceiver } from "@raftkv/kvstore";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import { txnCostBytes } from "../../space/request-cost.ts";
import type { ServiceContext } from "../service-context.ts";
import { etcdErrors, refusalError, rpcError, withEtcdErrors } from "./etcd-error.ts";
import type { LeaseService } from "./lease-service.ts";
import { txnError } from "./txn-error.ts";

/** A lease that is granted because none was given (etcd's time, in seconds). Nobody renews it. */
const ownLeaseSeconds = 60n;
/** Calls that may wait for their turn at one member. */
const waitersMax = 10_000;
const noBytes = new Uint8Array(0);
const cancelledError = { code: StatusCode.CANCELLED, message: "etcdserver: request canceled" };

export interface LockQueueOptions {
  readonly context: Pick<ServiceContext, "maxRequestBytes" | "maxTxnOps" | "quota" | "state"> & {
    readonly node: Pick<ServiceContext["node"], "propose" | "readBarrier">;
  };
  readonly hub: Pick<WatchHub, "watch" | "cancel">;
  readonly leases: Pick<LeaseService, "grant">;
}

type TxnDone = Extract<TxnResult, { readonly outcome: "done" }>;

/** The place of a lease in a queue. */
export interface QueuePlace {
  readonly key: Uint8Array;
  /** By which places are ordered. */
  readonly createRevision: number;
}

export interface QueueEntry {
  readonly place: QueuePlace;
  /** What the lease had there already. */
  readonly existing: KeyValue | null;
  /** The store's when this was found. */
  readonly revision: number;
}

/**
 * Queues that are made of keys, as etcd's clients make them: each lease that wants to be owner has the key `<name>/<id in hex>`, and the
 * oldest of these keys is the owner's. A lease that ends takes its key with it.
 */
export class LockQueue {
  private readonly context: LockQueueOptions["context"];
  private readonly hub: LockQueueOptions["hub"];
  private readonly leases: LockQueueOptions["leases"];
  private readonly closing = new AbortController();
  private waiters = 0;

  constructor({ context, hub, leases }: LockQueueOptions) {
    this.context = context;
    this.hub = hub;
    this.leases = leases;
  }

  /** Whoever waits gives up: the member stops. */
  close(): void {
    this.closing.abort();
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Aborts when `signal` does, and when the member stops. */
  until(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.closing.signal]);
  }

  /** The lease that was given, or one that is granted for this call. */
  async leaseFor(given: bigint): Promise<bigint> {
    return given === 0n ? (await this.leases.grant(ownLeaseSeconds, 0n)).id : given;
  }

  /** Enters a queue. A lease that is in it already keeps its place. */
  async enter(name: Uint8Array, lease: bigint, value: Uint8Array): Promise<QueueEntry> {
    const key = concat(name, new TextEncoder().encode(`/${lease.toString(16)}`));
    const { succeeded, revision, responses } = await this.transact({
      compare: [{ target: "create", operand: 0, key, rangeEnd: noBytes, result: 0 }],
      success: [putOf(key, value, lease)],
      failure: [{ type: "range", request: { ...wholeRange, key, rangeEnd: noBytes } }],
    });
    if (succeeded) return { place: { key, createRevision: revision }, existing: null, revision };
    const [found] = responses;
    const existing = found?.type === "range" ? found.records[0] : undefined;
    if (existing === undefined) throw new Error("A key that exists was not found");
    return { place: { key, createRevision: existing.createRevision }, existing, revision };
  }

  /** Resolves when nobody is before this place, or the place is gone. If the call is cancelled, or waiting fails, the place is left. */
  async waitForTurn(name: Uint8Array, place: QueuePlace, cancelled: AbortSignal): Promise<"first" | "gone"> {
    try {
      return await this.turn(name, place, this.until(cancelled));
    } catch (error) {
      // If it can't be left it goes with its lease.
      await this.leave(place).catch(() => undefined);
      throw error;
    }
  }

  /** Gives the place up, unless it is another's by now. */
  async leave({ key, createRevision }: QueuePlace): Promise<number> {
    return (await this.transact({ compare: [createdAt(key, createRevision)], success: [removalOf(key)], failure: [] })).revision;
  }

  /** Puts another value, if the place is still the same. Returns the revision, or null if it is not. */
  async replaceValue({ key, createRevision }: QueuePlace, value: Uint8Array, lease: bigint): Promise<number | null> {
    const put = putOf(key, value, lease);
    const { succeeded, revision } = await this.transact({ compare: [createdAt(key, createRevision)], success: [put], failure: [] });
    return succeeded ? revision : null;
  }

  /** Whose turn it is, as this member knows it. */
  owner(name: Uint8Array): KeyValue | null {
    const { key, rangeEnd } = placesOf(name);
    const { records } = this.context.state.store.range(key, rangeEnd, { sortTarget: "create", sortOrder: "ascend", limit: 1 });
    return records[0] ?? null;
  }

  /** Resolves when somebody enters or leaves the queue, or changes a value, or `signal` aborts. */
  queueChange(name: Uint8Array, signal: AbortSignal): Promise<void> {
    const { key, rangeEnd } = placesOf(name);
    return this.changeOf([spanOf(key, rangeEnd)], signal);
  }

  /** Removes a key, whoever has it, if it is there. Returns the revision. */
  async remove(key: Uint8Array): Promise<number> {
    if (key.length === 0) throw rpcError(etcdErrors.emptyKey);
    return (await this.transact({ compare: [], success: [removalOf(key)], failure: [] })).revision;
  }

  private async transact(request: TxnRequest): Promise<TxnDone> {
    const { node, maxRequestBytes, maxTxnOps, quota } = this.context;
    const violation = checkTxn(request, maxTxnOps);
    if (violation !== null) throw rpcError(txnError(violation));
    const message = encodeTxnRequest(request);
    if (message.length > maxRequestBytes) throw rpcError(etcdErrors.requestTooLarge);
    if (!quota.admits(txnCostBytes(request))) throw rpcError(etcdErrors.noSpace);
    const result = await withEtcdErrors(node.propose(encodeRequestCommand("txn", message)));
    if (result.outcome === "refused") throw rpcError(refusalError(result.reason));
    if (result.outcome !== "txn") throw new Error(`A transaction ended as ${result.outcome}`);
    return result.result;
  }

  private async turn(name: Uint8Array, place: QueuePlace, signal: AbortSignal): Promise<"first" | "gone"> {
    let isConfirmed = true;
    for (;;) {
      if (!this.isHeld(place)) return "gone";
      const next = this.nextBefore(name, place);
      if (next === null && isConfirmed) return "first";
      if (signal.aborted) throw rpcError(this.isClosed ? etcdErrors.stopped : cancelledError);
      if (next === null) {
        // This member may be late: the cluster may have ended the lease that the place belongs to.
        await withEtcdErrors(this.context.node.readBarrier());
        isConfirmed = true;
      } else {
        await this.change([next.key, place.key], signal);
        isConfirmed = false;
      }
    }
  }

  private isHeld({ key, createRevision }: QueuePlace): boolean {
    return this.context.state.store.find(key)?.createRevision === createRevision;
  }

  /** Only the next one before is waited for, so that an owner who leaves wakes one waiter and not all of them. */
  private nextBefore(name: Uint8Array, { createRevision }: QueuePlace): KeyValue | null {
    const { key, rangeEnd } = placesOf(name);
    const older = { maxCreateRevision: createRevision - 1, sortTarget: "create", sortOrder: "descend", limit: 1 } as const;
    return this.context.state.store.range(key, rangeEnd, older).records[0] ?? null;
  }

  private change(keys: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    return this.changeOf(
      keys.map((key) => spanOf(key, noBytes)),
      signal,
    );
  }

  private async changeOf(spans: readonly KeySpan[], signal: AbortSignal): Promise<void> {
    if (this.waiters >= waitersMax) {
      throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, `raftkv: ${waitersMax} calls wait for locks and elections here already`);
    }
    this.waiters++;
    try {
      await nextChange(this.hub, spans, signal);
    } finally {
      this.waiters--;
    }
  }
}

/** Resolves at the next change, or when `signal` aborts. */
function nextChange(hub: LockQueueOptions["hub"], spans: readonly KeySpan[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      signal.removeEventListener("abort", wake);
      for (const watcher of watchers) hub.cancel(watcher);
      resolve();
    };
    const receiver: WatchReceiver = { isReady: true, deliver: wake, overtaken: wake };
    const watchers = spans.map((span) => hub.watch({ span, startRevision: 0 }, receiver));
    signal.addEventListener("abort", wake);
    if (signal.aborted) wake();
  });
}

const wholeRange: Omit<RangeRequest, "key" | "rangeEnd"> = {
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};

function createdAt(key: Uint8Array, createRevision: number): TxnRequest["compare"][number] {
  return { target: "create", operand: createRevision, key, rangeEnd: noBytes, result: 0 };
}

function putOf(key: Uint8Array, value: Uint8Array, lease: bigint): RequestOp {
  return { type: "put", request: { key, value, lease, prevKv: false, ignoreValue: false, ignoreLease: false } };
}

function removalOf(key: Uint8Array): RequestOp {
  return { type: "deleteRange", request: { key, rangeEnd: noBytes, prevKv: false } };
}

/** All keys that begin with `<name>/`; "0" follows "/" in ASCII. */
function placesOf(name: Uint8Array): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  return { key: concat(name, new Uint8Array([0x2f])), rangeEnd: concat(name, new Uint8Array([0x30])) };
}

function spanOf(key: Uint8Array, rangeEnd: Uint8Array): KeySpan {
  const span = keySpanOf(key, rangeEnd);
  if (span === null) throw new Error("A span of keys is empty");
  return span;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
