import { formatBounds, formatNumber } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import type { AppendResult, LogResult, RawResult } from "./append-cell.ts";

const columns: readonly Column[] = [
  { title: "entry", align: "right" },
  { title: "callers", align: "right" },
  { title: "", align: "left" },
  { title: "entries/s", align: "right" },
  { title: "MB/s", align: "right" },
  { title: "syncs/s", align: "right" },
  { title: "p50 ms", align: "right" },
  { title: "p99 ms", align: "right" },
  { title: "raftkv's rate", align: "right" },
  { title: "min-max", align: "right" },
];

const bytesPerKiB = 1024;
const bytesPerMegabyte = 1e6;

/** A table of all cells: RaftKV's log first, then the bare disk and the other logs, each with RaftKV's rate as a multiple of its own. */
export function formatAppends(results: readonly AppendResult[]): readonly string[] {
  return formatTable(columns, results.flatMap(rowsOf));
}

/** `64 B`, `4 KiB`. */
export function formatBytes(bytes: number): string {
  return bytes < bytesPerKiB ? `${bytes} B` : `${formatNumber(bytes / bytesPerKiB).replace(/\.0+$/, "")} KiB`;
}

function rowsOf(result: AppendResult): readonly (readonly string[])[] {
  const { entryBytes, callers, raftkv, raw, others, writeBytes } = result;
  return [
    [formatBytes(entryBytes), String(callers), ...logRow(raftkv, entryBytes).slice(0, -2)],
    ...raw.map((row) => ["", "", ...rawRow(row, writeBytes)]),
    ...others.map((row) => ["", "", ...logRow(row, entryBytes)]),
  ];
}

function logRow({ name, entriesPerSecond, writesPerSecond, latency, ratio }: LogResult, entryBytes: number): readonly string[] {
  return [
    name,
    formatNumber(entriesPerSecond),
    formatNumber((entriesPerSecond * entryBytes) / bytesPerMegabyte),
    writesPerSecond === null ? "-" : formatNumber(writesPerSecond),
    formatNumber(latency.p50Ms),
    formatNumber(latency.p99Ms),
    `${formatNumber(ratio.median)}x`,
    formatBounds(ratio),
  ];
}

function rawRow({ durability, writesPerSecond, latency, ratio }: RawResult, writeBytes: number): readonly string[] {
  return [
    `disk, ${formatBytes(writeBytes)} ${durability}`,
    "-",
    formatNumber((writesPerSecond * writeBytes) / bytesPerMegabyte),
    formatNumber(writesPerSecond),
    formatNumber(latency.p50Ms),
    formatNumber(latency.p99Ms),
    `${formatNumber(ratio.median)}x`,
    formatBounds(ratio),
  ];
}
