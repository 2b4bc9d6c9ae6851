import type { etcdserverpb, KeyValue, RangeRequest, RangeResponse } from "@raftkv/api";
import { promised } from "@raftkv/raft-node";
import { type CallContext, RpcError, type ServiceImpl, StatusCode } from "@raftkv/raft-rpc";
import type { ServiceContext } from "../service-context.ts";
import { etcdErrors, rpcError, withEtcdErrors } from "./etcd-error.ts";
import { revisionError } from "./range-query.ts";

type RangeStreamHandler = NonNullable<ServiceImpl<typeof etcdserverpb.kvService>["rangeStream"]>;

/** Pairs in the first part; the next ones have twice as many or half, towards the largest request. */
const firstPairs = 10;
/** A part costs the others on this member about as much as a few requests. */
const pairsMax = 4_096;
const noHeader = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };

/** `KV.RangeStream`: a Range in parts that are read at one revision, each when the client has taken those before. */
export function rangeStreamHandler(context: ServiceContext): RangeStreamHandler {
  return (request, call) => streamRange(context, request, call);
}

async function* streamRange(context: ServiceContext, request: RangeRequest, call: CallContext): AsyncGenerator<RangeResponse> {
  checkRequest(request);
  const { node, state } = context;
  await withEtcdErrors(promised((completion) => (request.serializable ? node.readLocally(completion) : node.read(completion))));
  const revision = request.revision > 0 ? request.revision : state.store.revision;
  const parts = new RangeParts(context, request, revision);
  for (let part = parts.next(); ; part = parts.next()) {
    yield part;
    if (parts.isDone || call.cancelled) return;
  }
}

/** What can't be answered in parts is refused: clients then ask for all at once. */
function checkRequest(request: RangeRequest): void {
  if (request.key.length === 0) throw rpcError(etcdErrors.emptyKey);
  const isAscending = request.sortOrder === 0 || request.sortOrder === 1;
  if (!isAscending || request.sortTarget !== 0) {
    throw new RpcError(StatusCode.UNIMPLEMENTED, "RangeStream does not support custom sort orders");
  }
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if (minModRevision !== 0 || maxModRevision !== 0 || minCreateRevision !== 0 || maxCreateRevision !== 0) {
    throw new RpcError(StatusCode.UNIMPLEMENTED, "RangeStream does not support revision filters");
  }
}

class RangeParts {
  isDone = false;
  private readonly context: ServiceContext;
  private readonly request: RangeRequest;
  private readonly revision: number;
  /** Where the next part begins. */
  private key: Uint8Array;
  private partPairs = firstPairs;
  private pairsLeft: number;
  private pairsShown = 0;

  constructor(context: ServiceContext, request: RangeRequest, revision: number) {
    this.context = context;
    this.request = request;
    this.revision = revision;
    this.key = request.key;
    this.pairsLeft = request.limit > 0 ? request.limit : Number.POSITIVE_INFINITY;
  }

  /** Throws RpcError, also if a compaction went past the revision meanwhile. */
  next(): RangeResponse {
    const { store } = this.context.state;
    const error = revisionError(store, this.revision);
    if (error !== null) throw rpcError(error);
    if (this.request.countOnly) return this.last([], this.countFrom(this.key));
    const limit = Math.min(this.partPairs, this.pairsLeft);
    const query = { revision: this.revision, keysOnly: this.request.keysOnly, limit, uncounted: true };
    const { records, more } = store.range(this.key, this.request.rangeEnd, query);
    this.pairsShown += records.length;
    this.pairsLeft -= records.length;
    const lastPair = records.at(-1);
    if (!more || lastPair === undefined) return this.last(records, 0);
    this.key = keyAfter(lastPair.key);
    if (this.pairsLeft === 0) return this.last(records, this.countFrom(this.key));
    this.adjust(records);
    return { header: noHeader, kvs: records, more: false, count: 0 };
  }

  private last(kvs: readonly KeyValue[], countBehind: number): RangeResponse {
    const { context } = this;
    this.isDone = true;
    const more = countBehind > 0 && !this.request.countOnly;
    return { header: context.header(context.state.store.revision), kvs, more, count: this.pairsShown + countBehind };
  }

  private countFrom(key: Uint8Array): number {
    return this.context.state.store.range(key, this.request.rangeEnd, { revision: this.revision, countOnly: true }).count;
  }

  private adjust(pairs: readonly KeyValue[]): void {
    let bytes = 0;
    for (const { key, value } of pairs) bytes += key.length + value.length;
    if (2 * bytes <= this.context.maxRequestBytes) this.partPairs = Math.min(2 * this.partPairs, pairsMax);
    else if (bytes > this.context.maxRequestBytes) this.partPairs = Math.max(1, Math.floor(this.partPairs / 2));
  }
}

/** The first key above `key` that there can be. */
function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}
