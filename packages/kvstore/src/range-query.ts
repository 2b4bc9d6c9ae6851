import { orderOfBytes } from "./byte-order.ts";
import type { KeyValue } from "./key-value.ts";
import type { NodeRef } from "./node-arena.ts";
import type { NodeView } from "./node-view.ts";
import type { NodeSpan, RecordTable } from "./record-table.ts";

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

/** Calls `visit` for each record of the span that the query asks for. */
export function visitSpan(table: RecordTable, span: NodeSpan, query: RangeQuery, visit: (view: NodeView) => void): RangeSummary {
  if (query.countOnly === true) return { count: countSpan(table, span), more: false };
  const limit = (query.limit ?? 0) > 0 ? (query.limit as number) : Number.POSITIVE_INFINITY;
  const content = query.keysOnly === true ? "keys" : "records";
  return table.visit(content, (view) => {
    if (isInKeyOrder(query)) return visitInKeyOrder(table, span, limit, view, visit);
    const { selected, count } = select(table, span, query);
    sort(table, selected, query);
    const shown = Math.min(limit, selected.length);
    for (let i = 0; i < shown; i++) visit(view.show(selected[i] as NodeRef));
    return { count, more: selected.length > shown };
  });
}

function countSpan(table: RecordTable, span: NodeSpan): number {
  if (table.isAll(span)) return table.count;
  let count = 0;
  for (let node = span.first; node !== span.stop; node = table.next(node)) count++;
  return count;
}

function visitInKeyOrder(table: RecordTable, span: NodeSpan, limit: number, view: NodeView, visit: (view: NodeView) => void): RangeSummary {
  let node = span.first;
  let shown = 0;
  for (; node !== span.stop && shown < limit; node = table.next(node), shown++) visit(view.show(node));
  if (node === span.stop) return { count: shown, more: false };
  const count = table.isAll(span) ? table.count : shown + countSpan(table, { first: node, stop: span.stop });
  return { count, more: true };
}

/** True if the records come as the list has them and none is left out but by the limit. */
function isInKeyOrder(query: RangeQuery): boolean {
  return (query.sortTarget ?? "key") === "key" && query.sortOrder !== "descend" && !isFiltered(query);
}

function isFiltered(query: RangeQuery): boolean {
  return Boolean(query.minModRevision || query.maxModRevision || query.minCreateRevision || query.maxCreateRevision);
}

function select(table: RecordTable, span: NodeSpan, query: RangeQuery): { readonly selected: NodeRef[]; readonly count: number } {
  const { nodes } = table;
  const minMod = query.minModRevision || Number.NEGATIVE_INFINITY;
  const maxMod = query.maxModRevision || Number.POSITIVE_INFINITY;
  const minCreate = query.minCreateRevision || Number.NEGATIVE_INFINITY;
  const maxCreate = query.maxCreateRevision || Number.POSITIVE_INFINITY;
  const selected: NodeRef[] = [];
  let count = 0;
  for (let node = span.first; node !== span.stop; node = table.next(node)) {
    count++;
    const mod = nodes.modRevision(node);
    const create = nodes.createRevision(node);
    if (mod >= minMod && mod <= maxMod && create >= minCreate && create <= maxCreate) selected.push(node);
  }
  return { selected, count };
}

/** Stable, and `selected` is in key order, so that ties stay in it. */
function sort(table: RecordTable, selected: NodeRef[], query: RangeQuery): void {
  const target = query.sortTarget ?? "key";
  const isDescending = query.sortOrder === "descend";
  if (target === "key") {
    if (isDescending) selected.reverse();
    return;
  }
  const compare = comparison(table, target);
  selected.sort(isDescending ? (a, b) => compare(b, a) : compare);
}

function comparison(table: RecordTable, target: Exclude<SortTarget, "key">): (a: NodeRef, b: NodeRef) => number {
  const { nodes } = table;
  switch (target) {
    case "version":
      return (a, b) => nodes.version(a) - nodes.version(b);
    case "create":
      return (a, b) => nodes.createRevision(a) - nodes.createRevision(b);
    case "mod":
      return (a, b) => nodes.modRevision(a) - nodes.modRevision(b);
    case "value":
      return (a, b) => orderOfBytes(table.valueView(a), table.valueView(b));
  }
}
