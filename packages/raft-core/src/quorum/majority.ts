/** How many of `count` members are a majority. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * The largest value that a majority has reached: the commit index over match indexes (paper 5.3), the confirmed position over
 * acknowledged ones. Sorts `values` in place, descending; there are as many as voters. 0 without voters.
 */
export function reachedByMajority(values: number[]): number {
  for (let i = 1; i < values.length; i++) {
    const value = values[i] ?? 0;
    let place = i;
    for (; place > 0; place--) {
      const before = values[place - 1] ?? 0;
      if (before >= value) break;
      values[place] = before;
    }
    values[place] = value;
  }
  return values[majorityOf(values.length) - 1] ?? 0;
}
