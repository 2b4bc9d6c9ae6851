import { collectDefaultMetrics, Registry } from "prom-client";
import { CountedHistogram } from "./counted-histogram.ts";
import type { MemberFigures } from "./member-figures.ts";
import { networkHistograms, networkMetrics } from "./network-metrics.ts";
import { addOpenFiles } from "./open-files.ts";
import { SampledMetric } from "./sampled-metric.ts";
import { serverHistograms, serverMetrics } from "./server-metrics.ts";
import { storeHistograms, storeMetrics } from "./store-metrics.ts";

/**
 * What `/metrics` shows: how the member stands, read when it is asked for, and what Node.js knows of the process. The member itself only
 * counts in plain fields. Names that begin with `etcd_` mean what they mean in etcd, so that its dashboards and alerts work.
 */
export class MemberMetrics {
  private readonly registry = new Registry();
  private readonly readNow: () => MemberFigures;
  /** Of the scrape that is being answered, so that all numbers are of one moment. */
  private figures: MemberFigures | null = null;

  constructor(readNow: () => MemberFigures) {
    this.readNow = readNow;
    for (const { samplesOf, ...shape } of [...serverMetrics, ...storeMetrics, ...networkMetrics]) {
      new SampledMetric({ ...shape, registry: this.registry, read: () => samplesOf(this.current()) });
    }
    for (const { seriesOf, ...shape } of [...serverHistograms, ...storeHistograms, ...networkHistograms]) {
      new CountedHistogram({ ...shape, registry: this.registry, read: () => seriesOf(this.current()) });
    }
    collectDefaultMetrics({ register: this.registry });
    addOpenFiles(this.registry);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  scrape(): Promise<string> {
    this.figures = this.readNow();
    return this.registry.metrics();
  }

  private current(): MemberFigures {
    this.figures ??= this.readNow();
    return this.figures;
  }
}
