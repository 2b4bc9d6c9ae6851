import { Histogram, type Registry } from "prom-client";

/** Observations in classes: `counts[n]` of them at most `bounds[n]`, the last count those above all bounds. */
export interface ClassCounts {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface CountedHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
  readonly read: () => ClassCounts;
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram whose observations were counted elsewhere, where one more object for each of them would cost, and are read at a scrape. */
export class CountedHistogram extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #read: () => ClassCounts;

  constructor({ name, help, registry, read }: CountedHistogramOptions) {
    super({ name, help, registers: [registry] });
    this.#name = name;
    this.#help = help;
    this.#read = read;
  }

  /** What a registry and `get` read; the types of prom-client do not know it. */
  getForPromString(): Promise<{ readonly name: string; readonly help: string; readonly type: "histogram"; readonly values: Sample[] }> {
    return Promise.resolve({ name: this.#name, help: this.#help, type: "histogram", values: this.#samples() });
  }

  #samples(): Sample[] {
    const { bounds, counts, sum } = this.#read();
    let count = 0;
    const buckets = counts.map((inClass, place) => {
      count += inClass;
      return { metricName: `${this.#name}_bucket`, labels: { le: bounds[place] ?? "+Inf" }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels: {}, value: sum },
      { metricName: `${this.#name}_count`, labels: {}, value: count },
    ];
  }
}
