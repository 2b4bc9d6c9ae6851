import type { Page } from "./http-endpoints.ts";

/** What `/metrics` shows. */
export interface MetricsSource {
  readonly contentType: string;
  scrape(): Promise<string>;
}

/** `/metrics` in Prometheus' text format. */
export function metricsPage(metrics: MetricsSource): Page {
  return async (_request, response) => {
    const text = await metrics.scrape();
    response.setHeader("Content-Type", metrics.contentType);
    response.end(text);
  };
}
