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

/** So few are put into a copy of the many one by one: that compares far less than a merge does. */
const fewMax = 32;

/** The keys of both lists. */
export function unionOfKeys(a: SortedKeys, b: SortedKeys): SortedKeys {
  const [many, few] = bySize(a, b);
  if (few.length === 0) return many;
  if (few.length > fewMax) return merged(many, few, orderOfBytes).filter((key, at, all) => at === 0 || !areEqual(key, all[at - 1]));
  const union = [...many];
  for (const key of few) {
    const at = placeOf(union, key);
    if (!areEqual(key, union[at])) union.splice(at, 0, key);
  }
  return union;
}

export function haveCommonKey(a: SortedKeys, b: SortedKeys): boolean {
  const [many, few] = bySize(a, b);
  return few.some((key) => areEqual(key, many[placeOf(many, key)]));
}

/** True if one of the keys lies in one of the intervals. */
export function touch(keys: SortedKeys, intervals: SortedIntervals): boolean {
  if (keys.length <= intervals.length) return keys.some((key) => isWithin(key, intervals[countWhile(intervals, endsUpTo(key))]));
  return intervals.some((interval) => {
    const key = keys[placeOf(keys, interval.begin)];
    return key !== undefined && isWithin(key, interval);
  });
}

/** What both lists cover. */
export function unionOfIntervals(a: SortedIntervals, b: SortedIntervals): SortedIntervals {
  const [many, few] = bySize(a, b);
  if (few.length === 0) return many;
  if (few.length > fewMax) return joined(merged(many, few, orderOfBegins));
  const union = [...many];
  for (const { begin, end } of few) {
    const from = countWhile(union, (each) => orderOfBytes(each.end, begin) < 0);
    const to = countWhile(union, (each) => orderOfBytes(each.begin, end) <= 0);
    union.splice(from, to - from, ...joined([{ begin, end }, ...union.slice(from, to)].sort(orderOfBegins)));
  }
  return union;
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

function merged<Item>(a: readonly Item[], b: readonly Item[], order: (a: Item, b: Item) => number): Item[] {
  const all: Item[] = [];
  let taken = 0;
  for (const item of a) {
    while (taken < b.length && order(b[taken] as Item, item) < 0) all.push(b[taken++] as Item);
    all.push(item);
  }
  return all.concat(b.slice(taken));
}

function bySize<Item>(a: readonly Item[], b: readonly Item[]): readonly [many: readonly Item[], few: readonly Item[]] {
  return a.length >= b.length ? [a, b] : [b, a];
}

/** Where the key is, or would be. */
function placeOf(keys: SortedKeys, key: Uint8Array): number {
  return countWhile(keys, (each) => orderOfBytes(each, key) < 0);
}

/** How many items from the first on meet a condition that none behind them meets (binary search). */
function countWhile<Item>(items: readonly Item[], isMet: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isMet(items[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function endsUpTo(key: Uint8Array): (interval: KeyInterval) => boolean {
  return ({ end }) => orderOfBytes(end, key) <= 0;
}

function isWithin(key: Uint8Array, interval: KeyInterval | undefined): boolean {
  return interval !== undefined && orderOfBytes(interval.begin, key) <= 0 && orderOfBytes(key, interval.end) < 0;
}

function areEqual(key: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && orderOfBytes(key, other) === 0;
}

function orderOfBegins(a: KeyInterval, b: KeyInterval): number {
  return orderOfBytes(a.begin, b.begin);
}
