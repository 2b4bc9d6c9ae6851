import type { RangeQuery, SortOrder, SortTarget } from "../range-query.ts";
import { checkTxn } from "./txn-check.ts";
import { choosePath, findRefusal, type TxnPath } from "./txn-path.ts";
import type { DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "./txn-request.ts";
import type { OpResult, TxnBranchResult, TxnResult } from "./txn-result.ts";
import type { TxnStore } from "./txn-store.ts";

const sortOrders: readonly SortOrder[] = ["none", "ascend", "descend"];
const sortTargets: readonly SortTarget[] = ["key", "version", "create", "mod", "value"];

/**
 * etcd's Txn. What `checkTxn` has something against is refused, but for the number of operations. All conditions are judged first;
 * then what the chosen operations need is checked; then they run in order, each seeing what those before it wrote, and take one
 * revision together if they write.
 */
export function transact(store: TxnStore, request: TxnRequest): TxnResult {
  const violation = checkTxn(request, Number.POSITIVE_INFINITY);
  if (violation !== null) return { outcome: "refused", reason: violation };
  const path = choosePath(store, request);
  const refusal = findRefusal(store, path);
  if (refusal !== null) return { outcome: "refused", reason: refusal };
  const run = new TxnRun(store);
  const { succeeded, responses } = store.atOneRevision(() => run.branch(path));
  return { outcome: "done", revision: run.revision, succeeded, responses };
}

class TxnRun {
  readonly #store: TxnStore;
  /** The store's revision before the first write, that of the transaction from then on. */
  revision: number;

  constructor(store: TxnStore) {
    this.#store = store;
    this.revision = store.revision;
  }

  branch({ succeeded, operations, nested }: TxnPath): TxnBranchResult {
    let nestedCount = 0;
    const responses = operations.map((operation): OpResult => {
      if (operation.type !== "txn") return this.#operation(operation);
      return { type: "txn", ...this.branch(nested[nestedCount++] as TxnPath) };
    });
    return { succeeded, responses };
  }

  #operation(operation: Exclude<RequestOp, { readonly type: "txn" }>): OpResult {
    switch (operation.type) {
      case "range":
        return this.#range(operation.request);
      case "put":
        return this.#put(operation.request);
      case "deleteRange":
        return this.#deleteRange(operation.request);
      case "none":
        throw new Error("An operation without a request is refused before it is run");
      default:
        return operation satisfies never;
    }
  }

  #range(request: RangeRequest): OpResult {
    const { records, count, more } = this.#store.range(request.key, request.rangeEnd, queryOf(request));
    return { type: "range", revision: this.revision, records, count, more };
  }

  #put(request: PutRequest): OpResult {
    const { key, ignoreValue, ignoreLease } = request;
    const kept = ignoreValue || ignoreLease ? this.#store.find(key) : null;
    const value = ignoreValue && kept !== null ? kept.value : request.value;
    const lease = ignoreLease && kept !== null ? kept.lease : request.lease;
    const { revision, previous } = this.#store.set(key, value, { lease, wantPrevious: request.prevKv });
    this.revision = revision;
    return { type: "put", revision, previous };
  }

  #deleteRange({ key, rangeEnd, prevKv }: DeleteRangeRequest): OpResult {
    const { revision, deleted, previous } = this.#store.deleteRange(key, rangeEnd, { wantPrevious: prevKv });
    if (deleted > 0) this.revision = revision;
    return { type: "deleteRange", revision: this.revision, deleted, previous };
  }
}

function queryOf(request: RangeRequest): RangeQuery {
  const sortOrder = sortOrders[request.sortOrder];
  const sortTarget = sortTargets[request.sortTarget];
  if (sortOrder === undefined || sortTarget === undefined) throw new Error("An unknown sort is refused before it is run");
  const { limit, keysOnly, countOnly, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const revision = Math.max(request.revision, 0);
  return {
    revision,
    limit,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
    sortOrder,
    sortTarget,
  };
}
