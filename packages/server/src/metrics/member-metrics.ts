import { collectDefaultMetrics, Registry } from "prom-client";
import { CountedHistogram } from "./counted-histogram.ts";
import type { MemberFigures } from "./member-figures.ts";
import { networkMetrics } from "./network-metrics.ts";
import { SampledMetric } from "./sampled-metric.ts";
import { serverMetrics } from "./server-metrics.ts";
import { storeMetrics } from "./store-metrics.ts";

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
    this.addWriteDurations();
    collectDefaultMetrics({ register: this.registry });
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

  private addWriteDurations(): void {
    new CountedHistogram({
      name: "etcd_disk_wal_fsync_duration_seconds",
      help: "How long durable writes to the log took.",
      registry: this.registry,
      read: () => {
        const { boundsMs, counts, sumMs } = this.current().node.log.writeMs;
        return { bounds: boundsMs.map((ms) => ms / 1_000), counts, sum: sumMs / 1_000 };
      },
    });
  }
}
