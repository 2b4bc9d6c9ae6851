import type { RangeQuery } from "../range-query.ts";
import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "../txn/txn-request.ts";
import type { TxnRefusal } from "../txn/txn-result.ts";
import { textOf } from "./bytes-as-text.ts";
import { isWithin, type NaiveRange, type NaiveRecord, type NaiveStore } from "./naive-store.ts";

export type NaiveTxnResult =
  | ({ readonly outcome: "done"; readonly revision: number } & NaiveBranch)
  | { readonly outcome: "refused"; readonly reason: TxnRefusal };

interface NaiveBranch {
  readonly succeeded: boolean;
  readonly responses: readonly NaiveResponse[];
}

type NaiveResponse =
  | ({ readonly type: "range"; readonly revision: number } & NaiveRange)
  | { readonly type: "put"; readonly revision: number; readonly previous: NaiveRecord | null }
  | { readonly type: "deleteRange"; readonly revision: number; readonly deleted: number; readonly previous: readonly NaiveRecord[] }
  | ({ readonly type: "txn" } & NaiveBranch);

/** etcd's Txn in four passes over the whole request: what is against it, the branches, what stands in their way, the operations. */
export function transactNaively(store: NaiveStore, request: TxnRequest): NaiveTxnResult {
  const against = firstOf(ruleViolations(request)) ?? (hasDuplicates(request) ? "duplicate-key" : undefined);
  if (against !== undefined) return { outcome: "refused", reason: against };
  const before = store.copy();
  const chosen = chosenOperations(before, request);
  const obstacle = firstOf(putObstacles(before, chosen)) ?? firstOf(rangeObstacles(before, chosen));
  if (obstacle !== undefined) return { outcome: "refused", reason: obstacle };
  const branch = store.write(() => runBranch(store, before, request));
  return { outcome: "done", revision: store.revision, ...branch };
}

function firstOf(reasons: readonly TxnRefusal[]): TxnRefusal | undefined {
  return reasons[0];
}

/** All violations of rules for single fields, in the order in which etcd looks for them. */
function ruleViolations({ compare, success, failure }: TxnRequest): readonly TxnRefusal[] {
  const ofCompares = compare.flatMap((each): TxnRefusal[] => (each.key.length === 0 ? ["empty-key"] : []));
  return [...ofCompares, ...[...success, ...failure].flatMap(violationsOf)];
}

function violationsOf(operation: RequestOp): readonly TxnRefusal[] {
  if (operation.type === "none") return ["empty-operation"];
  if (operation.type === "txn") return ruleViolations(operation.request);
  if (operation.request.key.length === 0) return ["empty-key"];
  if (operation.type === "range") {
    const { sortOrder, sortTarget } = operation.request;
    return [0, 1, 2].includes(sortOrder) && [0, 1, 2, 3, 4].includes(sortTarget) ? [] : ["invalid-sort"];
  }
  if (operation.type === "deleteRange") return [];
  const { value, lease, ignoreValue, ignoreLease } = operation.request;
  if (ignoreValue && value.length > 0) return ["value-provided"];
  return ignoreLease && lease !== 0n ? ["lease-provided"] : [];
}

/** A write of a transaction, and the way to it: for each list on the way the place in it and the branch it is. */
interface PlacedWrite {
  readonly type: "put" | "deleteRange";
  readonly key: string;
  readonly rangeEnd: string;
  readonly way: readonly { readonly branch: string; readonly place: number }[];
}

/** Compares each two writes. */
function hasDuplicates(request: TxnRequest): boolean {
  const writes = placedWrites(request, []);
  return writes.some((one, at) => writes.slice(at + 1).some((other) => clash(one, other)));
}

function placedWrites(request: TxnRequest, way: PlacedWrite["way"]): readonly PlacedWrite[] {
  return (["success", "failure"] as const).flatMap((branch) =>
    request[branch].flatMap((operation, place): readonly PlacedWrite[] => {
      const here = [...way, { branch, place }];
      if (operation.type === "txn") return placedWrites(operation.request, here);
      if (operation.type !== "put" && operation.type !== "deleteRange") return [];
      const rangeEnd = operation.type === "deleteRange" ? textOf(operation.request.rangeEnd) : "";
      return [{ type: operation.type, key: textOf(operation.request.key), rangeEnd, way: here }];
    }),
  );
}

/** `one` comes before `other` in the request. */
function clash(one: PlacedWrite, other: PlacedWrite): boolean {
  if (one.type === "deleteRange" && other.type === "deleteRange") return false;
  let level = 0;
  while (one.way[level]?.branch === other.way[level]?.branch && one.way[level]?.place === other.way[level]?.place) level++;
  if (one.way[level]?.branch !== other.way[level]?.branch) return false;
  if (one.type === "put" && other.type === "put") return one.key === other.key;
  const areBothNested = one.way.length > level + 1 && other.way.length > level + 1;
  // etcd does not see a put in front of a delete if each is in a transaction of its own.
  if (one.type === "put") return !areBothNested && isDeleted(one.key, other);
  return isDeleted(other.key, one);
}

/** etcd takes a delete without an upper bound for one of nothing here. */
function isDeleted(key: string, { key: start, rangeEnd }: PlacedWrite): boolean {
  return rangeEnd !== "\0" && isWithin(key, start, rangeEnd);
}

function branchOf(before: NaiveStore, request: TxnRequest): readonly [succeeded: boolean, operations: readonly RequestOp[]] {
  const succeeded = request.compare.every((compare) => isTrue(before, compare));
  return [succeeded, succeeded ? request.success : request.failure];
}

/** The operations that will run, in order. */
function chosenOperations(before: NaiveStore, request: TxnRequest): readonly RequestOp[] {
  const [, operations] = branchOf(before, request);
  return operations.flatMap((operation) => (operation.type === "txn" ? chosenOperations(before, operation.request) : [operation]));
}

function isTrue(before: NaiveStore, compare: Compare): boolean {
  const records = before.range(textOf(compare.key), textOf(compare.rangeEnd), {}).records;
  if (records.length === 0) return compare.target !== "value" && isResult(compare.result, storedAndGiven(null, compare));
  return records.every((record) => isResult(compare.result, storedAndGiven(record, compare)));
}

function storedAndGiven(record: NaiveRecord | null, compare: Compare): readonly [bigint | string, bigint | string] {
  switch (compare.target) {
    case "version":
      return [BigInt(record?.version ?? 0), BigInt(compare.operand)];
    case "create":
      return [BigInt(record?.createRevision ?? 0), BigInt(compare.operand)];
    case "mod":
      return [BigInt(record?.modRevision ?? 0), BigInt(compare.operand)];
    case "lease":
      return [record?.lease ?? 0n, compare.operand];
    case "value":
      return [record?.value ?? "", textOf(compare.operand)];
    case "unknown":
      return [0n, 0n];
    default:
      return compare satisfies never;
  }
}

function isResult(result: number, [stored, given]: readonly [bigint | string, bigint | string]): boolean {
  const results = [stored === given, stored > given, stored < given, stored !== given];
  return results[result] ?? true;
}

function putObstacles(before: NaiveStore, chosen: readonly RequestOp[]): readonly TxnRefusal[] {
  return chosen.flatMap((operation, at): TxnRefusal[] => {
    if (operation.type !== "put") return [];
    const { lease, ignoreValue, ignoreLease } = operation.request;
    const key = textOf(operation.request.key);
    const isGone = chosen.slice(0, at).some((each) => each.type === "deleteRange" && deletes(each.request, key));
    if ((ignoreValue || ignoreLease) && (isGone || before.find(key) === null)) return ["key-not-found"];
    return lease === 0n || before.leases.some(({ id }) => id === lease) ? [] : ["lease-not-found"];
  });
}

function deletes({ key, rangeEnd }: DeleteRangeRequest, other: string): boolean {
  return isWithin(other, textOf(key), textOf(rangeEnd));
}

function rangeObstacles(before: NaiveStore, chosen: readonly RequestOp[]): readonly TxnRefusal[] {
  return chosen.flatMap((operation): TxnRefusal[] => {
    if (operation.type !== "range" || operation.request.revision === 0) return [];
    if (operation.request.revision > before.revision) return ["future"];
    return operation.request.revision < before.compactRevision ? ["compacted"] : [];
  });
}

function runBranch(store: NaiveStore, before: NaiveStore, request: TxnRequest): NaiveBranch {
  const [succeeded, operations] = branchOf(before, request);
  return { succeeded, responses: operations.map((operation) => runOperation(store, before, operation)) };
}

function runOperation(store: NaiveStore, before: NaiveStore, operation: RequestOp): NaiveResponse {
  switch (operation.type) {
    case "txn":
      return { type: "txn", ...runBranch(store, before, operation.request) };
    case "range": {
      const { key, rangeEnd } = operation.request;
      const result = store.range(textOf(key), textOf(rangeEnd), queryOf(operation.request));
      return { type: "range", revision: headerRevision(store, before), ...result };
    }
    case "put": {
      const previous = runPut(store, operation.request);
      return { type: "put", revision: headerRevision(store, before), previous };
    }
    case "deleteRange": {
      const { key, rangeEnd, prevKv } = operation.request;
      const deleted = store.deleteRange(textOf(key), textOf(rangeEnd));
      const revision = headerRevision(store, before);
      return { type: "deleteRange", revision, deleted: deleted.length, previous: prevKv ? deleted : [] };
    }
    case "none":
      throw new Error("An operation without a request is against the rules");
    default:
      return operation satisfies never;
  }
}

function runPut(store: NaiveStore, request: PutRequest): NaiveRecord | null {
  const key = textOf(request.key);
  const old = store.find(key);
  const value = request.ignoreValue ? (old?.value ?? "") : textOf(request.value);
  store.put(key, value, request.ignoreLease ? (old?.lease ?? 0n) : request.lease);
  return request.prevKv ? old : null;
}

function headerRevision(store: NaiveStore, before: NaiveStore): number {
  return store.versions.length > before.versions.length ? before.revision + 1 : before.revision;
}

function queryOf(request: RangeRequest): RangeQuery {
  const sortOrder = (["none", "ascend", "descend"] as const)[request.sortOrder] ?? "none";
  const sortTarget = (["key", "version", "create", "mod", "value"] as const)[request.sortTarget] ?? "key";
  return { ...request, revision: Math.max(request.revision, 0), sortOrder, sortTarget };
}
