import { formatNumber } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import type { StallPhase } from "./stall-run.ts";

const columns: readonly Column[] = [
  { title: "meanwhile", align: "left" },
  { title: "seconds", align: "right" },
  { title: "MB/s", align: "right" },
  { title: "appends/s", align: "right" },
  { title: "append p50 ms", align: "right" },
  { title: "p99 ms", align: "right" },
  { title: "longest ms", align: "right" },
  { title: "loop late p99 ms", align: "right" },
  { title: "longest ms", align: "right" },
  { title: "by itself ms", align: "right" },
];

const bytesPerMegabyte = 1e6;

/** A line for each phase: its work, what appends took, and how late the event loop came back. */
export function formatStalls(phases: readonly StallPhase[]): readonly string[] {
  return formatTable(
    columns,
    phases.map(({ name, seconds, appendsPerSecond, latency, loop, snapshotBytes }) => [
      name,
      formatNumber(seconds),
      snapshotBytes === 0 ? "-" : formatNumber(snapshotBytes / seconds / bytesPerMegabyte),
      ...[appendsPerSecond, latency.p50Ms, latency.p99Ms, latency.maxMs, loop.p99Ms, loop.maxMs, loop.ownMaxMs].map(formatNumber),
    ]),
  );
}
