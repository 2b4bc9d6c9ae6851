import { Gauge, type Registry } from "prom-client";
import type { MetricDefinition, MetricSample } from "./metric-definition.ts";

export interface SampledMetricOptions extends Pick<MetricDefinition, "name" | "type" | "help"> {
  readonly registry: Registry;
  readonly read: () => readonly MetricSample[];
}

/** A metric that was counted elsewhere, where one more object for each of its changes would cost, and is read at a scrape. */
export class SampledMetric extends Gauge {
  readonly #options: SampledMetricOptions;

  constructor(options: SampledMetricOptions) {
    super({ name: options.name, help: options.help, registers: [options.registry] });
    this.#options = options;
  }

  /** What a registry reads; the types of prom-client do not know it. */
  getForPromString(): Promise<Pick<MetricDefinition, "name" | "type" | "help"> & { readonly values: readonly MetricSample[] }> {
    const { name, type, help, read } = this.#options;
    return Promise.resolve({ name, type, help, values: read() });
  }
}
