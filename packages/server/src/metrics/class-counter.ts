/** Observations in classes: `counts[n]` of them at most `bounds[n]`, the last count those above all bounds. */
export interface ClassCounts {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts observations as they come. */
export class ClassCounter implements ClassCounts {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  /** `bounds` ascend. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const place = this.bounds.findIndex((bound) => value <= bound);
    const index = place < 0 ? this.bounds.length : place;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
  }
}

/** `count` bounds, each twice the one before. */
export function doublingBounds(first: number, count: number): readonly number[] {
  // A product of a decimal and a power of two shows no rounding where a sum would.
  return Array.from({ length: count }, (_, place) => first * 2 ** place);
}
