import { formatNumber } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import { dataSet } from "./data-options.ts";
import type { DataFigures, GrowthFigures } from "./data-run.ts";

const bytesPerMegabyte = 1_000_000;

const columns: readonly Column[] = [
  { title: "system", align: "left" },
  { title: "memory MB", align: "right" },
  { title: "restart ms", align: "right" },
  { title: "put p99 ms", align: "right" },
  { title: "while snapshots are read", align: "right" },
  { title: "ratio", align: "right" },
  { title: "of snapshots MB", align: "right" },
];

/** A table of what all keys mean to each system, and a line for each thing that went wrong. */
export function formatData(figures: readonly DataFigures[]): readonly string[] {
  const rows = figures.map(({ system, residentBytes, restartMs, quietP99Ms, snapshotP99Ms, snapshotMegabytes, problems }) => [
    `${system}${problems.length > 0 ? " !" : ""}`,
    residentBytes === null ? "-" : formatNumber(residentBytes / bytesPerMegabyte),
    formatNumber(restartMs),
    formatNumber(quietP99Ms),
    formatNumber(snapshotP99Ms),
    `${formatNumber(snapshotP99Ms / quietP99Ms)}x`,
    formatNumber(snapshotMegabytes),
  ]);
  const { keys, keyBytes, valueBytes } = dataSet;
  return [
    `${keys.toLocaleString("en-US")} keys of ${keyBytes} B, values of ${valueBytes} B; memory of the largest member`,
    "",
    ...formatTable(columns, rows),
    ...figures.flatMap(({ system, problems }) => problems.map((problem) => `! ${system}: ${problem}`)),
  ];
}

/** One line. */
export function formatGrowth({ fewUs, manyUs, fewPerSecond, manyPerSecond }: GrowthFigures): string {
  const cpu =
    fewUs === null || manyUs === null ? "" : `, ${formatNumber(fewUs)} and ${formatNumber(manyUs)} us of CPU at the leader for each`;
  const few = dataSet.fewKeys.toLocaleString("en-US");
  const many = dataSet.manyKeys.toLocaleString("en-US");
  return `${formatNumber(fewPerSecond)} puts/s to ${few} keys, ${formatNumber(manyPerSecond)} puts/s to ${many}${cpu}`;
}
