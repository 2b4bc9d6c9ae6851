import {
  type Compare,
  create,
  etcdserverpb,
  type KeyValue,
  mvccpb,
  type RangeRequest,
  type RangeResponse,
  type RequestOp,
  type ResponseOp,
  type TxnRequest,
  type TxnResponse,
} from "@raftkv/api";
import { type Dispatcher, RpcError, StatusCode } from "@raftkv/raft-rpc";
import { Outbox } from "./scripted-streams.ts";
import type { VirtualClock } from "./virtual-clock.ts";

interface StoredLease {
  readonly ttl: number;
  expiresAtMs: number;
}

interface StoredEvent {
  readonly type: (typeof EventType)["PUT" | "DELETE"];
  readonly kv: KeyValue;
}

interface Watcher {
  readonly from: string;
  readonly to: string;
  readonly filters: readonly etcdserverpb.WatchCreateRequest_FilterType[];
  readonly outbox: Outbox<etcdserverpb.WatchResponse>;
}

const { Event_EventType: EventType } = mvccpb;
const { WatchCreateRequest_FilterType: FilterType } = etcdserverpb;
const text = new TextDecoder("latin1");
const none = new Uint8Array(0);

/** As much of etcd as locks and elections need, for the members of a scripted cluster: keys by create revision, leases, watches. */
export class ScriptedStore {
  readonly #clock: VirtualClock;
  readonly #keys = new Map<string, KeyValue>();
  readonly #leases = new Map<bigint, StoredLease>();
  readonly #history: StoredEvent[] = [];
  readonly #watchers = new Set<Watcher>();
  #revision = 1;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** What is stored under a prefix, in byte order. */
  keys(prefix: string): readonly string[] {
    return [...this.#keys.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  delete(key: string): void {
    this.#revision += 1;
    this.#deleteAt(key, this.#revision);
  }

  serve(dispatcher: Dispatcher): void {
    dispatcher.add(etcdserverpb.kvService, {
      range: (request) => this.#range(request),
      txn: (request) => this.#txn(request),
    });
    dispatcher.add(etcdserverpb.leaseService, {
      leaseGrant: ({ ID, TTL }) => {
        this.#leases.set(ID, { ttl: Number(TTL), expiresAtMs: 0 });
        this.#renew(ID);
        return create(etcdserverpb.LeaseGrantResponseSchema, { ID, TTL });
      },
      leaseRevoke: ({ ID }) => {
        if (!this.#leases.has(ID)) throw new RpcError(StatusCode.NOT_FOUND, "etcdserver: requested lease not found");
        this.endLease(ID);
        return create(etcdserverpb.LeaseRevokeResponseSchema);
      },
      leaseKeepAlive: (requests) => this.#keepAlive(requests),
    });
    dispatcher.add(etcdserverpb.watchService, { watch: (requests) => this.#watch(requests) });
  }

  /** The lease and its keys go. */
  endLease(id: bigint): void {
    this.#leases.delete(id);
    const attached = [...this.#keys].filter(([, { lease }]) => lease === id);
    if (attached.length > 0) this.#revision += 1;
    for (const [key] of attached) this.#deleteAt(key, this.#revision);
  }

  async *#keepAlive(requests: AsyncIterable<etcdserverpb.LeaseKeepAliveRequest>) {
    for await (const { ID } of requests) {
      const ttl = this.#leases.get(ID)?.ttl ?? 0;
      this.#renew(ID);
      yield create(etcdserverpb.LeaseKeepAliveResponseSchema, { ID, TTL: BigInt(ttl) });
    }
  }

  async *#watch(requests: AsyncIterable<etcdserverpb.WatchRequest>) {
    const outbox = new Outbox<etcdserverpb.WatchResponse>();
    const watchers = new Map<bigint, Watcher>();
    void this.#serveWatches(requests, outbox, watchers);
    yield* outbox;
  }

  async #serveWatches(
    requests: AsyncIterable<etcdserverpb.WatchRequest>,
    outbox: Outbox<etcdserverpb.WatchResponse>,
    watchers: Map<bigint, Watcher>,
  ): Promise<void> {
    let nextId = 0n;
    const header = () => create(etcdserverpb.ResponseHeaderSchema, { revision: BigInt(this.#revision) });
    try {
      for await (const { requestUnion } of requests) {
        if (requestUnion.case === "cancelRequest") {
          const watcher = watchers.get(requestUnion.value.watchId);
          if (watcher !== undefined) this.#watchers.delete(watcher);
        } else if (requestUnion.case === "createRequest") {
          const { key, rangeEnd, startRevision, filters } = requestUnion.value;
          const watchId = nextId++;
          const watcher = { ...span(key, rangeEnd), filters, outbox: new Outbox<etcdserverpb.WatchResponse>() };
          watchers.set(watchId, watcher);
          outbox.send(create(etcdserverpb.WatchResponseSchema, { watchId, created: true, header: header() }));
          void relay(watcher.outbox, outbox, watchId);
          for (const event of this.#history) if (BigInt(event.kv.modRevision) >= startRevision) this.#tell(watcher, event);
          this.#watchers.add(watcher);
        }
      }
    } catch {
      // The connection was lost.
    }
    for (const watcher of watchers.values()) this.#watchers.delete(watcher);
    outbox.end();
  }

  #tell({ from, to, filters, outbox }: Watcher, { type, kv }: StoredEvent): void {
    const key = text.decode(kv.key);
    const filter = type === EventType.DELETE ? FilterType.NODELETE : FilterType.NOPUT;
    if (key < from || key >= to || filters.includes(filter)) return;
    const wireKv = create(mvccpb.KeyValueSchema, {
      key: kv.key,
      value: kv.value,
      createRevision: BigInt(kv.createRevision),
      modRevision: BigInt(kv.modRevision),
    });
    const header = create(etcdserverpb.ResponseHeaderSchema, { revision: BigInt(kv.modRevision) });
    outbox.send(create(etcdserverpb.WatchResponseSchema, { header, events: [create(mvccpb.EventSchema, { type, kv: wireKv })] }));
  }

  #renew(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    lease.expiresAtMs = this.#clock.monotonicMs() + lease.ttl * 1000;
    this.#clock.setTimer(lease.ttl * 1000, () => {
      if (this.#leases.get(id) === lease && lease.expiresAtMs <= this.#clock.monotonicMs()) this.endLease(id);
    });
  }

  #range(request: RangeRequest): RangeResponse {
    const { from, to } = span(request.key, request.rangeEnd);
    const bound = request.maxCreateRevision === 0 ? Number.POSITIVE_INFINITY : request.maxCreateRevision;
    const found = [...this.#keys]
      .filter(([key, { createRevision }]) => key >= from && key < to && createRevision <= bound)
      .map(([, kv]) => kv)
      .toSorted((one, other) => one.createRevision - other.createRevision);
    if (request.sortOrder === etcdserverpb.RangeRequest_SortOrder.DESCEND) found.reverse();
    const kvs = request.limit === 0 ? found : found.slice(0, request.limit);
    return { header: this.#header(), kvs, more: kvs.length < found.length, count: found.length };
  }

  #txn({ compare, success, failure }: TxnRequest): TxnResponse {
    const succeeded = compare.every((condition) => this.#holds(condition));
    const operations = succeeded ? success : failure;
    if (operations.some(({ type }) => type !== "range")) this.#revision += 1;
    return { header: this.#header(), succeeded, responses: operations.map((operation) => this.#run(operation)) };
  }

  #holds(condition: Compare): boolean {
    if (condition.target !== "create") throw new Error(`The scripted store does not compare ${condition.target}`);
    return (this.#keys.get(text.decode(condition.key))?.createRevision ?? 0) === condition.operand;
  }

  #run(operation: RequestOp): ResponseOp {
    switch (operation.type) {
      case "range":
        return { type: "range", response: this.#range(operation.request) };
      case "put": {
        const { key, value, lease } = operation.request;
        if (!this.#leases.has(lease)) throw new RpcError(StatusCode.NOT_FOUND, "etcdserver: requested lease not found");
        const before = this.#keys.get(text.decode(key));
        const createRevision = before?.createRevision ?? this.#revision;
        const kv = { key, value, lease, createRevision, modRevision: this.#revision, version: 1 };
        this.#keys.set(text.decode(key), kv);
        this.#happened({ type: EventType.PUT, kv });
        return { type: "put", response: { header: this.#header(), prevKv: null } };
      }
      case "deleteRange":
        this.#deleteAt(text.decode(operation.request.key), this.#revision);
        return { type: "deleteRange", response: { header: this.#header(), deleted: 1, prevKvs: [] } };
      default:
        throw new Error(`The scripted store does not run ${operation.type}`);
    }
  }

  #deleteAt(key: string, modRevision: number): void {
    const found = this.#keys.get(key);
    if (found === undefined) return;
    this.#keys.delete(key);
    const kv = { key: found.key, value: none, createRevision: 0, modRevision, version: 0, lease: 0n };
    this.#happened({ type: EventType.DELETE, kv });
  }

  #happened(event: StoredEvent): void {
    this.#history.push(event);
    for (const watcher of this.#watchers) this.#tell(watcher, event);
  }

  #header() {
    return { clusterId: 1n, memberId: 1n, revision: this.#revision, raftTerm: 1 };
  }
}

async function relay(from: Outbox<etcdserverpb.WatchResponse>, to: Outbox<etcdserverpb.WatchResponse>, watchId: bigint): Promise<void> {
  for await (const response of from) to.send({ ...response, watchId });
}

/** The keys from `from` on and before `to`. */
function span(key: Uint8Array, rangeEnd: Uint8Array): { readonly from: string; readonly to: string } {
  const from = text.decode(key);
  return { from, to: rangeEnd.length === 0 ? `${from}\0` : text.decode(rangeEnd) };
}
