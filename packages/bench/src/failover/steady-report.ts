import type { LoadResult } from "../load/load-generator.ts";
import { formatNumber } from "../report/number-format.ts";
import type { LeadershipLog } from "./leadership-log.ts";

/** What the steady load came to, and who led meanwhile. */
export function formatSteady(load: LoadResult, log: LeadershipLog): readonly string[] {
  const { ratePerSecond, durationMs, p50Ms, p99Ms, maxMs, longestGapMs } = load;
  const changes = log.changes === 0 ? "never changed" : `CHANGED ${log.changes} times`;
  return [
    `puts     ${formatNumber(ratePerSecond)} puts/s for ${formatNumber(durationMs / 1000)} s; p50 ${formatNumber(p50Ms)} ms, p99 ${formatNumber(p99Ms)} ms, max ${formatNumber(maxMs)} ms`,
    `silence  ${formatNumber(longestGapMs)} ms was the longest time without an acknowledgement`,
    `leader   ${changes}: ${log.leaders.join("; ")}; ${log.looks.toLocaleString("en-US")} looks at members, ${log.unanswered.toLocaleString("en-US")} not answered`,
    ...[...load.errors].map(([sentence, count]) => `!        ${count.toLocaleString("en-US")} times ${sentence}`),
  ];
}
