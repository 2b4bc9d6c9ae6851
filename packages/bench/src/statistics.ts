/** A number that was measured several times. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The mean of the middle two if their number is even. Throws RangeError if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("There is no median of no values");
  const lower = sorted.length % 2 === 0 ? sorted[middle - 1] : upper;
  return ((lower ?? upper) + upper) / 2;
}

/** The smallest value that `percent` of all values do not exceed (nearest rank); p99 of fewer than 100 is the greatest. Throws RangeError if there are none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil((percent / 100) * sorted.length), 1) - 1];
  if (value === undefined) throw new RangeError("There is no percentile of no values");
  return value;
}

/** Throws RangeError if there are no values. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Ratios of values that were measured one after the other: what slowed the machine for both cancels out. Throws RangeError if the lists differ
 * in length or are empty.
 */
export function pairedRatios(values: readonly number[], bases: readonly number[]): Spread {
  if (values.length !== bases.length) throw new RangeError(`${values.length} values cannot be paired with ${bases.length}`);
  return spread(values.map((value, place) => value / (bases[place] ?? Number.NaN)));
}
