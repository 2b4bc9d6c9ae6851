import { expect, test } from "vitest";
import type { Round } from "../comparison.ts";
import { summarizeCell } from "./cell-summary.ts";
import { formatComparison, hasFaults } from "./comparison-report.ts";
import { formatHead } from "./head-lines.ts";
import { formatNumber } from "./number-format.ts";
import { formatTable } from "./text-table.ts";

function round(ratePerSecond: number, p99Ms: number, overrides: Partial<Round> = {}): Round {
  return {
    answers: ratePerSecond * 3,
    durationMs: 3000,
    ratePerSecond,
    p50Ms: p99Ms / 2,
    p99Ms,
    maxMs: p99Ms * 2,
    longestGapMs: p99Ms,
    errors: new Map(),
    cpu: { leaderUs: 12.34, followersUs: 5 },
    generatorUs: 4.2,
    leaderMoved: false,
    ...overrides,
  };
}

const shape = { connections: 10, inFlight: 100 };
const goodCell = summarizeCell({
  workload: "put",
  shape,
  rounds: new Map([
    ["raftkv", [round(30_000, 30), round(33_000, 32), round(10_000, 90)]],
    ["etcd", [round(10_000, 120), round(10_000, 128), round(5000, 240)]],
  ]),
});

test("a table of two systems has a row for each, and ratios of paired rounds at RaftKV's", () => {
  expect(formatComparison([goodCell]).slice(0, 3)).toEqual([
    "workload  load    system  requests/s        min-max  p50 ms  p99 ms  leader us  followers us  client us  rate ratio    min-max  p50 ratio  p99 ratio",
    "put       10x100  raftkv      30,000  10,000-33,000    16.0    32.0       12.3          5.00       4.20       3.00x  2.00-3.30     0.250x     0.250x",
    "                  etcd        10,000   5,000-10,000    64.0     128       12.3          5.00       4.20",
  ]);
  expect(hasFaults([goodCell])).toBe(false);
});

test("RaftKV alone has no ratios", () => {
  const cell = summarizeCell({ workload: "range", shape, rounds: new Map([["raftkv", [round(50_000, 20, { cpu: null })]]]) });
  expect(cell.ratios).toBeNull();
  expect(formatComparison([cell])[1]).toBe(
    "range     10x100  raftkv      50,000  50,000-50,000    10.0    20.0          -             -       4.20",
  );
});

test("a cell with errors or another leader is marked, and says why", () => {
  const errors = new Map([["UNAVAILABLE etcdserver: leader changed", 3]]);
  const cell = summarizeCell({
    workload: "put",
    shape,
    rounds: new Map([
      ["raftkv", [round(1000, 1, { errors }), round(1000, 1, { errors, leaderMoved: true })]],
      ["etcd", [round(1000, 1), round(1000, 1)]],
    ]),
  });
  const lines = formatComparison([goodCell, cell]);
  expect(lines[3]).toContain("raftkv !");
  expect(lines[4]).not.toContain("!");
  expect(lines.slice(-3)).toEqual([
    "! These cells do not count:",
    "  put 10x100 raftkv: the leader changed in 1 rounds",
    "  put 10x100 raftkv: 6 times UNAVAILABLE etcdserver: leader changed",
  ]);
  expect(hasFaults([goodCell, cell])).toBe(true);
});

test("the head says what was measured on what", () => {
  const system = { name: "raftkv", version: "raftkv 1.2.3", program: "node", memberArguments: () => [] } as const;
  const environment = {
    cores: 2,
    processor: "Some Processor",
    memoryBytes: 8 * 2 ** 30,
    operatingSystem: "Linux 6.1",
    node: "v20.0.0",
    dataInMemory: false,
    syncMs: 0.4321,
  };
  const facts = {
    systems: [system],
    environment,
    keyCount: 100_000,
    keyBytes: 32,
    valueBytes: 256,
    idleShares: new Map([["raftkv", 0.0123]]),
  };
  const lines = formatHead(facts);
  expect(lines).toContain("raftkv   raftkv 1.2.3");
  expect(lines).toContain("machine  2 cores of Some Processor, 8 GiB, Linux 6.1, Node.js v20.0.0");
  expect(lines).toContain("disk     fdatasync of 4 KiB takes 0.432 ms");
  expect(lines.at(-1)).toContain("raftkv 1.2 % of a core");
  expect(formatHead({ ...facts, environment: { ...environment, dataInMemory: true } })).toContain(
    "disk     none: the data are in memory (tmpfs)",
  );
});

test("numbers keep three figures", () => {
  expect([0, 0.1234, 1.234, 12.34, 123.4, 1234.5, 1_234_567].map(formatNumber)).toEqual([
    "0",
    "0.123",
    "1.23",
    "12.3",
    "123",
    "1,235",
    "1,234,567",
  ]);
  expect(formatNumber(Number.NaN)).toBe("-");
});

test("columns are as wide as their widest text", () => {
  const columns = [
    { title: "name", align: "left" },
    { title: "n", align: "right" },
  ] as const;
  expect(formatTable(columns, [["a", "1000"], ["longer", "7"], ["b"]])).toEqual(["name       n", "a       1000", "longer     7", "b"]);
});
