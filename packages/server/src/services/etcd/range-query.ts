import type { RangeRequest } from "@raftkv/api";
import type { KVStore, RangeQuery, SortOrder, SortTarget } from "@raftkv/kvstore";
import { type EtcdError, etcdErrors } from "./etcd-error.ts";

const sortOrders: readonly SortOrder[] = ["none", "ascend", "descend"];
const sortTargets: readonly SortTarget[] = ["key", "version", "create", "mod", "value"];

/** The query that a request asks for. Null if the sort is not one that etcd knows. */
export function rangeQuery(request: RangeRequest): RangeQuery | null {
  const sortOrder = sortOrders[request.sortOrder];
  const sortTarget = sortTargets[request.sortTarget];
  if (sortOrder === undefined || sortTarget === undefined) return null;
  const { revision, limit, keysOnly, countOnly, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const bounds = { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision };
  return { revision: Math.max(revision, 0), limit, keysOnly, countOnly, ...bounds, sortTarget, sortOrder };
}

/** Why the store can't be read at a revision, null if it can. 0 and below stand for the newest. */
export function revisionError(store: Pick<KVStore, "revision" | "compactRevision">, revision: number): EtcdError | null {
  if (revision <= 0) return null;
  if (revision > store.revision) return etcdErrors.futureRevision;
  return revision < store.compactRevision ? etcdErrors.compacted : null;
}
