import { expect, test } from "vitest";
import type { RpcResult } from "./rpc-cell.ts";
import type { RpcPartResult } from "./rpc-part.ts";
import { formatRpcParts } from "./rpc-report.ts";
import { judgeRpcTargets } from "./rpc-targets.ts";

const result = (name: string, rate: number, ratio: number, failures: readonly string[] = []): RpcResult => ({
  name,
  rate: { median: rate, min: rate - 1, max: rate + 1 },
  p50Ms: 1.5,
  p99Ms: 12,
  cpuUs: name === "grpc C-core" ? 400 : 3.25,
  allocatedBytes: name === "grpc C-core" ? null : 1234.5,
  ratio: { median: ratio, min: ratio, max: ratio },
  cpuRatio: name === "grpc C-core" ? null : 2 * ratio,
  failures,
});
const part = (ratio: number): RpcPartResult => ({
  name: "unary",
  cells: [
    {
      shape: { connections: 10, inFlight: 100 },
      results: [result("raft-rpc", 200_000, 1), result("grpc-js", 10_000, ratio), result("grpc C-core", 5000, 40, ["lost"])],
    },
  ],
});

test("every implementation has a row, and our rate stands as a multiple of it", () => {
  expect(formatRpcParts([part(20)])).toEqual([
    "       load                 calls/s          min-max  p50 ms  p99 ms  cpu us  heap B   ours    min-max  by cpu",
    "unary  10x100  raft-rpc     200,000  199,999-200,001    1.50    12.0    3.25   1,235",
    "               grpc-js       10,000     9,999-10,001    1.50    12.0    3.25   1,235  20.0x  20.0-20.0   40.0x",
    "               grpc C-core    5,000      4,999-5,001    1.50    12.0     400       -  40.0x  40.0-40.0       -",
    "FAILED  unary 10x100, grpc C-core: lost",
  ]);
});

test("only what was measured is judged, by the median of the ratios", () => {
  expect(judgeRpcTargets([part(11.9)])).toEqual([{ sentence: "unary 10x100: 11.9 times the rate of grpc-js, at least 12", isMet: false }]);
  expect(judgeRpcTargets([part(12)]).map(({ isMet }) => isMet)).toEqual([true]);
  expect(judgeRpcTargets([])).toEqual([]);
});
