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
    const value = at(values, i);
    let place = i;
    for (; place > 0 && at(values, place - 1) < value; place--) values[place] = at(values, place - 1);
    values[place] = value;
  }
  return at(values, majorityOf(values.length) - 1);
}

function at(values: readonly number[], place: number): number {
  return values[place] ?? 0;
}
