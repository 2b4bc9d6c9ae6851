import type { LoadShape } from "../load/load-shape.ts";

/** How much is stored, as large as the keys of a service registry, and under which load it is written. */
export const dataSet = {
  keys: 1_000_000,
  keyBytes: 64,
  valueBytes: 256,
  /** Of which the cost of a put is compared. */
  fewKeys: 10_000,
  manyKeys: 5_000_000,
} as const;

/** Of filling. */
export const fillingShape: LoadShape = { connections: 10, inFlight: 100 };
/** While snapshots are read: far from saturated, so that what a snapshot delays shows in the latencies. */
export const steadyShape: LoadShape = { connections: 10, inFlight: 10 };
