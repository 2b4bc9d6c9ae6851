import { orderOfBytes } from "./byte-order.ts";
import type { KeyValue } from "./key-value.ts";
import { countAt } from "./live-count.ts";
import type { NodeRef } from "./node-arena.ts";
import type { VersionRef } from "./version-store.ts";
import { type NodeSpan, now, type VersionTable } from "./version-table.ts";
import type { VersionView } from "./version-view.ts";

export type SortTarget = "key" | "version" | "create" | "mod" | "value";
export type SortOrder = "none" | "ascend" | "descend";

/** How a range is read, as etcd's RangeRequest. Every number may be left out or 0: no bound. */
export interface RangeQuery {
  /** The revision to read at. The caller checks that it is neither compacted nor to come. Default 0: now. */
  readonly revision?: number;
  /** Records at most, none if 0 or negative. */
  readonly limit?: number;
  /** Records come with empty values. */
  readonly keysOnly?: boolean;
  /** No records, only the count. */
  readonly countOnly?: boolean;
  /**
   * The count is that of the records that are shown, and `more` says that there may be others: whoever reads a long range in parts spares
   * counting the rest with each. For ranges in key order.
   */
  readonly uncounted?: boolean;
  /** Inclusive bounds. */
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
  /** Default "key". */
  readonly sortTarget?: SortTarget;
  /** Default "none", which is ascending. Records that are equal in the target come in ascending key order. */
  readonly sortOrder?: SortOrder;
}

export interface RangeSummary {
  /** Keys in the range, whatever the limit and the bounds on revisions. */
  readonly count: number;
  /** True if the limit left records out. */
  readonly more: boolean;
}

export interface RangeResult extends RangeSummary {
  readonly records: readonly KeyValue[];
}

/** Calls `visit` for each record of the span that the query asks for. The revision is one that can be read. */
export function visitSpan(table: VersionTable, span: NodeSpan, query: RangeQuery, visit: (view: VersionView) => void): RangeSummary {
  const revision = isAtPresent(table, query) ? now : (query.revision as number);
  if (query.countOnly === true) return { count: countAt(table, span, revision), more: false };
  const limit = (query.limit ?? 0) > 0 ? (query.limit as number) : Number.POSITIVE_INFINITY;
  const content = query.keysOnly === true ? "keys" : "records";
  return table.visit(content, (view) => {
    if (isInKeyOrder(query)) return visitInKeyOrder(table, span, { revision, limit, uncounted: query.uncounted === true }, view, visit);
    const { selected, count } = select(table, span, revision, query);
    sort(table, selected, query);
    const shown = Math.min(limit, selected.length);
    for (let i = 0; i < shown; i++) visit(view.show(selected[i] as VersionRef));
    return { count, more: selected.length > shown };
  });
}

/** `visitSpan` of a single node, or of none, 0. Does not look at its neighbours, which lie elsewhere in memory. */
export function visitNode(table: VersionTable, node: NodeRef, query: RangeQuery, visit: (view: VersionView) => void): RangeSummary {
  const revision = isAtPresent(table, query) ? now : (query.revision as number);
  const version = node === 0 ? 0 : table.liveAt(node, revision);
  if (version === 0) return { count: 0, more: false };
  if (query.countOnly !== true && (!isFiltered(query) || isWithin(boundsOf(query), table, version))) {
    table.visit(query.keysOnly === true ? "keys" : "records", (view) => visit(view.show(version)));
  }
  return { count: 1, more: false };
}

/** The newest version of each key is found without a look at its revision, so it is worth to know. */
function isAtPresent(table: VersionTable, { revision = 0 }: RangeQuery): boolean {
  return revision <= 0 || revision === table.revision;
}

function visitInKeyOrder(
  table: VersionTable,
  span: NodeSpan,
  bounds: { readonly revision: number; readonly limit: number; readonly uncounted: boolean },
  view: VersionView,
  visit: (view: VersionView) => void,
): RangeSummary {
  const { revision, limit } = bounds;
  let shown = 0;
  let node = span.first;
  for (; node !== span.stop && shown < limit; node = table.next(node)) {
    const version = table.liveAt(node, revision);
    if (version === 0) continue;
    visit(view.show(version));
    shown++;
  }
  const count = node === span.stop ? shown : countAt(table, span, revision);
  return { count, more: count > shown };
}

/** True if the records come as the list has them and none is left out but by the limit. */
function isInKeyOrder(query: RangeQuery): boolean {
  return (query.sortTarget ?? "key") === "key" && query.sortOrder !== "descend" && !isFiltered(query);
}

function isFiltered(query: RangeQuery): boolean {
  return Boolean(query.minModRevision || query.maxModRevision || query.minCreateRevision || query.maxCreateRevision);
}

/** Inclusive bounds on revisions. */
interface RevisionBounds {
  readonly minMod: number;
  readonly maxMod: number;
  readonly minCreate: number;
  readonly maxCreate: number;
}

function boundsOf(query: RangeQuery): RevisionBounds {
  return {
    minMod: query.minModRevision || Number.NEGATIVE_INFINITY,
    maxMod: query.maxModRevision || Number.POSITIVE_INFINITY,
    minCreate: query.minCreateRevision || Number.NEGATIVE_INFINITY,
    maxCreate: query.maxCreateRevision || Number.POSITIVE_INFINITY,
  };
}

function isWithin({ minMod, maxMod, minCreate, maxCreate }: RevisionBounds, { versions }: VersionTable, version: VersionRef): boolean {
  const mod = versions.modRevision(version);
  const create = versions.createRevision(version);
  return mod >= minMod && mod <= maxMod && create >= minCreate && create <= maxCreate;
}

function select(
  table: VersionTable,
  span: NodeSpan,
  revision: number,
  query: RangeQuery,
): { readonly selected: VersionRef[]; readonly count: number } {
  const bounds = boundsOf(query);
  const selected: VersionRef[] = [];
  let count = 0;
  for (let node = span.first; node !== span.stop; node = table.next(node)) {
    const version = table.liveAt(node, revision);
    if (version === 0) continue;
    count++;
    if (isWithin(bounds, table, version)) selected.push(version);
  }
  return { selected, count };
}

/** Stable, and `selected` is in key order, so that ties stay in it. */
function sort(table: VersionTable, selected: VersionRef[], query: RangeQuery): void {
  const target = query.sortTarget ?? "key";
  const isDescending = query.sortOrder === "descend";
  if (target === "key") {
    if (isDescending) selected.reverse();
    return;
  }
  const compare = comparison(table, target);
  selected.sort(isDescending ? (a, b) => compare(b, a) : compare);
}

function comparison(table: VersionTable, target: Exclude<SortTarget, "key">): (a: VersionRef, b: VersionRef) => number {
  const { versions } = table;
  switch (target) {
    case "version":
      return (a, b) => versions.version(a) - versions.version(b);
    case "create":
      return (a, b) => versions.createRevision(a) - versions.createRevision(b);
    case "mod":
      return (a, b) => versions.modRevision(a) - versions.modRevision(b);
    case "value":
      return (a, b) => orderOfBytes(versions.valueView(a), versions.valueView(b));
  }
}
