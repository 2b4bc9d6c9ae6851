import { formatBounds, formatNumber } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import type { HistoryResult } from "./history-run.ts";
import type { OperationResult } from "./operation-run.ts";

const operationColumns: readonly Column[] = [
  { title: "", align: "left" },
  { title: "", align: "left" },
  { title: "us", align: "right" },
  { title: "min-max", align: "right" },
];

const historyColumns: readonly Column[] = [
  { title: "", align: "left" },
  { title: "longest call ms", align: "right" },
  { title: "all s", align: "right" },
];

/** A row for each operation of each store. */
export function formatOperations(results: readonly OperationResult[]): readonly string[] {
  const rows = results.map(({ store, operation, micros }) => [operation, store, formatNumber(micros.median), formatBounds(micros)]);
  return formatTable(operationColumns, rows);
}

export function formatHistory(result: HistoryResult): readonly string[] {
  const seconds = (ms: number): string => formatNumber(ms / 1000);
  return [
    `${formatNumber(result.bytesPerKey)} bytes per key beside key and value, ${formatNumber(result.bytesPerOlderVersion)} per older version beside its value`,
    ...formatTable(historyColumns, [
      ["snapshot", formatNumber(result.snapshotChunkMs), seconds(result.snapshotMs)],
      ["restore", formatNumber(result.restoreChunkMs), seconds(result.restoreMs)],
      ["compact", formatNumber(result.compactMs), seconds(result.compactMs)],
      ["reclaim", formatNumber(result.reclaimSliceMs), seconds(result.reclaimMs)],
    ]),
  ];
}
