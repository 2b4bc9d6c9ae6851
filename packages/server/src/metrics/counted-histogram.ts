import { Histogram, type Registry } from "prom-client";
import type { HistogramDefinition, HistogramSeries } from "./metric-definition.ts";

export interface CountedHistogramOptions extends Pick<HistogramDefinition, "name" | "help"> {
  readonly registry: Registry;
  readonly read: () => readonly HistogramSeries[];
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram whose observations were counted elsewhere, where one more object for each of them would cost, and are read at a scrape. */
export class CountedHistogram extends Histogram {
  readonly #options: CountedHistogramOptions;

  constructor(options: CountedHistogramOptions) {
    super({ name: options.name, help: options.help, registers: [options.registry] });
    this.#options = options;
  }

  /** What a registry and `get` read; the types of prom-client do not know it. */
  getForPromString(): Promise<{ readonly name: string; readonly help: string; readonly type: "histogram"; readonly values: Sample[] }> {
    const { name, help, read } = this.#options;
    return Promise.resolve({ name, help, type: "histogram", values: read().flatMap((series) => samples(name, series)) });
  }
}

function samples(name: string, { labels, classes: { bounds, counts, sum } }: HistogramSeries): Sample[] {
  let count = 0;
  const buckets = counts.map((inClass, place) => {
    count += inClass;
    return { metricName: `${name}_bucket`, labels: { le: bounds[place] ?? "+Inf", ...labels }, value: count };
  });
  return [...buckets, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count }];
}
