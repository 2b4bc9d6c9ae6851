import { orderOfBytes } from "../byte-order.ts";
import { holds } from "./condition.ts";
import type { PutRequest, RequestOp, TxnRequest } from "./txn-request.ts";
import type { TxnRefusal } from "./txn-result.ts";
import type { TxnStore } from "./txn-store.ts";

const noBytes = new Uint8Array(0);

/** The branch that a transaction takes, and those that the transactions nested in it take, in their order. */
export interface TxnPath {
  readonly succeeded: boolean;
  readonly operations: readonly RequestOp[];
  readonly nested: readonly TxnPath[];
}

/** Judges all conditions before any operation runs. */
export function choosePath(store: TxnStore, request: TxnRequest): TxnPath {
  const succeeded = request.compare.every((compare) => holds(store, compare));
  const operations = succeeded ? request.success : request.failure;
  const nested: TxnPath[] = [];
  for (const operation of operations) if (operation.type === "txn") nested.push(choosePath(store, operation.request));
  return { succeeded, operations, nested };
}

/** Why the operations of the path can't run, null if they can: first all puts are checked, then all ranges, as etcd does. */
export function findRefusal(store: TxnStore, path: TxnPath): TxnRefusal | null {
  return new PutCheck(store).refusalOf(path) ?? rangeRefusal(store, path);
}

/** Checks the puts of a path against the store as it is, and against what the path deletes before them. */
class PutCheck {
  readonly #store: TxnStore;
  /** All keys from this one on are deleted by then. No other delete can have a put behind it: that would be a duplicate key. */
  #deletedFrom: Uint8Array | null = null;

  constructor(store: TxnStore) {
    this.#store = store;
  }

  refusalOf({ operations, nested }: TxnPath): TxnRefusal | null {
    let nestedCount = 0;
    for (const operation of operations) {
      let refusal: TxnRefusal | null = null;
      if (operation.type === "put") refusal = this.#putRefusal(operation.request);
      else if (operation.type === "deleteRange") this.#noteDelete(operation.request.key, operation.request.rangeEnd);
      else if (operation.type === "txn") refusal = this.refusalOf(nested[nestedCount++] as TxnPath);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  #putRefusal({ key, lease, ignoreValue, ignoreLease }: PutRequest): TxnRefusal | null {
    if ((ignoreValue || ignoreLease) && !this.#willExist(key)) return "key-not-found";
    return lease !== 0n && !this.#store.leases.has(lease) ? "lease-not-found" : null;
  }

  #willExist(key: Uint8Array): boolean {
    if (this.#deletedFrom !== null && orderOfBytes(this.#deletedFrom, key) <= 0) return false;
    return this.#store.visitRange(key, noBytes, { countOnly: true }, () => {}).count > 0;
  }

  #noteDelete(key: Uint8Array, rangeEnd: Uint8Array): void {
    const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
    if (isOpen && (this.#deletedFrom === null || orderOfBytes(key, this.#deletedFrom) < 0)) this.#deletedFrom = key;
  }
}

/** A negative revision counts as compacted once the store has been compacted; only 0 always is now. */
function rangeRefusal(store: TxnStore, { operations, nested }: TxnPath): TxnRefusal | null {
  let nestedCount = 0;
  for (const operation of operations) {
    let refusal: TxnRefusal | null = null;
    if (operation.type === "txn") refusal = rangeRefusal(store, nested[nestedCount++] as TxnPath);
    else if (operation.type === "range") refusal = revisionRefusal(store, operation.request.revision);
    if (refusal !== null) return refusal;
  }
  return null;
}

function revisionRefusal(store: TxnStore, revision: number): TxnRefusal | null {
  if (revision === 0) return null;
  if (revision > store.revision) return "future";
  return revision < store.compactRevision ? "compacted" : null;
}
