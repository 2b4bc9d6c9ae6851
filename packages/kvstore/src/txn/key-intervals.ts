import { orderOfBytes } from "../byte-order.ts";

/** Keys from `begin` on and below `end`, which is greater. */
export interface KeyInterval {
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
}

/** Ascending keys, each once. */
export type SortedKeys = readonly Uint8Array[];
/** Ascending intervals that don't touch each other. */
export type SortedIntervals = readonly KeyInterval[];

/** The keys of both lists. */
export function unionOfKeys(a: SortedKeys, b: SortedKeys): SortedKeys {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const union: Uint8Array[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const order = orderOfHeads(a[i], b[j], orderOfBytes);
    union.push((order <= 0 ? a[i] : b[j]) as Uint8Array);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return union;
}

export function haveCommonKey(a: SortedKeys, b: SortedKeys): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const order = orderOfBytes(a[i] as Uint8Array, b[j] as Uint8Array);
    if (order === 0) return true;
    if (order < 0) i++;
    else j++;
  }
  return false;
}

/** True if one of the keys lies in one of the intervals. */
export function touch(keys: SortedKeys, intervals: SortedIntervals): boolean {
  for (let i = 0, j = 0; i < keys.length && j < intervals.length; ) {
    const key = keys[i] as Uint8Array;
    const { begin, end } = intervals[j] as KeyInterval;
    if (orderOfBytes(key, begin) < 0) i++;
    else if (orderOfBytes(key, end) < 0) return true;
    else j++;
  }
  return false;
}

/** What both lists cover. */
export function unionOfIntervals(a: SortedIntervals, b: SortedIntervals): SortedIntervals {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const ascending: KeyInterval[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const next = orderOfHeads(a[i], b[j], orderOfBegins) <= 0 ? a[i++] : b[j++];
    ascending.push(next as KeyInterval);
  }
  return joined(ascending);
}

export function sortedIntervals(intervals: readonly KeyInterval[]): SortedIntervals {
  return joined(intervals.toSorted(orderOfBegins));
}

/** Makes one of intervals that touch each other. */
function joined(ascending: readonly KeyInterval[]): SortedIntervals {
  const apart: KeyInterval[] = [];
  for (const next of ascending) {
    const last = apart.at(-1);
    if (last === undefined || orderOfBytes(next.begin, last.end) > 0) apart.push(next);
    else if (orderOfBytes(next.end, last.end) > 0) apart[apart.length - 1] = { begin: last.begin, end: next.end };
  }
  return apart;
}

function orderOfBegins(a: KeyInterval, b: KeyInterval): number {
  return orderOfBytes(a.begin, b.begin);
}

/** Which of two lists gives the next element: a list that is used up does not. */
function orderOfHeads<Head>(a: Head | undefined, b: Head | undefined, order: (a: Head, b: Head) => number): number {
  if (a === undefined) return 1;
  return b === undefined ? -1 : order(a, b);
}
