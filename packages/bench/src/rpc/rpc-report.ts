import { formatLoadShape } from "../load/load-shape.ts";
import { formatBounds, formatNumber } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import type { RpcCell, RpcResult } from "./rpc-cell.ts";
import type { RpcPartResult } from "./rpc-part.ts";

const columns: readonly Column[] = [
  { title: "", align: "left" },
  { title: "load", align: "left" },
  { title: "", align: "left" },
  { title: "calls/s", align: "right" },
  { title: "min-max", align: "right" },
  { title: "p50 ms", align: "right" },
  { title: "p99 ms", align: "right" },
  { title: "cpu us", align: "right" },
  { title: "heap B", align: "right" },
  { title: "ours", align: "right" },
  { title: "min-max", align: "right" },
  { title: "by cpu", align: "right" },
];

/** A row for each implementation in each cell; `ours` is our rate as a multiple of it, `by cpu` its CPU time for a call as one of ours. What failed stands below. */
export function formatRpcParts(parts: readonly RpcPartResult[]): readonly string[] {
  const failures = parts.flatMap(({ name, cells }) =>
    cells.flatMap(({ shape, results }) =>
      results.flatMap((result) =>
        result.failures.map((failure) => `FAILED  ${name} ${formatLoadShape(shape)}, ${result.name}: ${failure}`),
      ),
    ),
  );
  return [...formatTable(columns, parts.flatMap(rowsOfPart)), ...failures];
}

function rowsOfPart({ name, cells }: RpcPartResult): readonly (readonly string[])[] {
  return cells.flatMap((cell) => rowsOfCell(name, cell));
}

function rowsOfCell(part: string, { shape, results }: RpcCell): readonly (readonly string[])[] {
  return results.map((result, place) => [...(place === 0 ? [part, formatLoadShape(shape)] : ["", ""]), ...figures(result, place === 0)]);
}

function figures({ name, rate, p50Ms, p99Ms, cpuUs, allocatedBytes, ratio, cpuRatio }: RpcResult, isOurs: boolean): readonly string[] {
  return [
    name,
    formatNumber(Math.round(rate.median)),
    formatBounds({ median: rate.median, min: Math.round(rate.min), max: Math.round(rate.max) }),
    formatNumber(p50Ms),
    formatNumber(p99Ms),
    cpuUs === null ? "-" : formatNumber(cpuUs),
    allocatedBytes === null ? "-" : formatNumber(Math.round(allocatedBytes)),
    ...(isOurs ? [] : [`${formatNumber(ratio.median)}x`, formatBounds(ratio), cpuRatio === null ? "-" : `${formatNumber(cpuRatio)}x`]),
  ];
}
