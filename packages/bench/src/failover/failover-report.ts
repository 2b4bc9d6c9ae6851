import { formatNumber } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import type { TrialResult } from "./failover-trial.ts";
import { type FaultSummary, meetsTarget, targets } from "./fault-summary.ts";
import { probeEveryMs } from "./probe-load.ts";

const columns: readonly Column[] = [
  { title: "fault", align: "left" },
  { title: "system", align: "left" },
  { title: "trials", align: "right" },
  { title: "failed", align: "right" },
  { title: "min ms", align: "right" },
  { title: "p50 ms", align: "right" },
  { title: "p90 ms", align: "right" },
  { title: "p99 ms", align: "right" },
  { title: "first p50", align: "right" },
  { title: "both p50", align: "right" },
  { title: "both p99", align: "right" },
  { title: "silence p50", align: "right" },
  { title: "silence p99", align: "right" },
  { title: "target p50", align: "right" },
  { title: "p99", align: "right" },
  { title: "met", align: "left" },
];

const legend = [
  `A put goes out every ${probeEveryMs} ms through each survivor. min to p99: from the signal until one that was sent after it was acknowledged, through either`,
  "survivor, by the next leader; both: through each of them. first: acknowledged through either survivor, also by the old leader.",
  "silence: longest time without any acknowledgement. p99 of fewer than 100 trials is the worst.",
];

/** One table of all faults, and a line for each thing that went wrong. */
export function formatFailover(summaries: readonly FaultSummary[], results: readonly TrialResult[]): readonly string[] {
  const rows = summaries.map((summary, place) => formatRow(summary, summary.fault !== summaries[place - 1]?.fault));
  const remarks = results.flatMap(({ system, fault, trial, problems }) =>
    problems.map((problem) => `  ${system} ${fault}, trial ${trial}: ${problem}`),
  );
  return [...formatTable(columns, rows), "", ...legend, ...(remarks.length === 0 ? [] : ["", "! These trials went wrong:", ...remarks])];
}

const wrongWritesMax = 20;

/** What was read back: a line for each system, and one for each write that is wrong. */
export function formatWrites(acknowledged: ReadonlyMap<string, number>, wrongWrites: readonly string[]): readonly string[] {
  const lines = [...acknowledged].map(([system, count]) => {
    const puts = `${count.toLocaleString("en-US")} acknowledged puts were read back from each member`;
    return `${system}: ${puts}${wrongWrites.length === 0 ? ", none is missing" : ""}`;
  });
  if (wrongWrites.length === 0) return lines;
  return [...lines, `! ${wrongWrites.length} WRITES ARE WRONG:`, ...wrongWrites.slice(0, wrongWritesMax).map((wrong) => `  ${wrong}`)];
}

function formatRow(summary: FaultSummary, isFirst: boolean): readonly string[] {
  const { fault, system, trials, failures, times } = summary;
  const figures =
    times === null
      ? Array<string>(9).fill("-")
      : [
          times.failoverMs.min,
          times.failoverMs.p50,
          times.failoverMs.p90,
          times.failoverMs.p99,
          times.firstMs.p50,
          times.bothMs.p50,
          times.bothMs.p99,
          times.silenceMs.p50,
          times.silenceMs.p99,
        ].map(formatNumber);
  return [isFirst ? fault : "", system, String(trials), String(failures), ...figures, ...formatTarget(summary)];
}

function formatTarget(summary: FaultSummary): readonly string[] {
  const isMet = meetsTarget(summary);
  if (isMet === null) return [];
  const { p50Ms, p99Ms } = targets[summary.fault];
  return [String(p50Ms), String(p99Ms), isMet ? "yes" : "NO"];
}
