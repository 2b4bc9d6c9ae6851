import { formatNumber } from "../report/number-format.ts";
import type { AppendResult } from "./append-cell.ts";
import type { StallPhase } from "./stall-run.ts";

export interface BenchResults {
  readonly appends: readonly AppendResult[];
  readonly stalls: readonly StallPhase[];
}

export interface Verdict {
  /** What was asked and what was found. */
  readonly sentence: string;
  readonly isMet: boolean;
}

/**
 * Of RaftKV's rate to another one's, as the geometric mean of all cells: a single cell is a matter of the machine's mood. Low enough that a
 * machine with other work on it does not fail for that.
 */
const ratiosMin: ReadonlyMap<string, number> = new Map([
  ["O_DSYNC", 0.3],
  ["fdatasync", 0.3],
  ["classic-level", 1],
  ["lmdb", 1],
]);
/** The most that the store may keep the event loop from other work at a stretch. */
const ownStallMsMax = 10;

/** A verdict for each target of what was measured. */
export function judgeTargets({ appends, stalls }: BenchResults): readonly Verdict[] {
  return [
    ...[...ratiosMin].flatMap(([name, ratioMin]) => {
      const ratios = ratiosTo(appends, name);
      return ratios.length === 0 ? [] : [judgeRatio(name, ratioMin, geometricMean(ratios))];
    }),
    ...stalls.map(judgeStall),
  ];
}

export function formatTargets(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.map(({ sentence, isMet }) => `${isMet ? "met   " : "MISSED"}  ${sentence}`);
}

function ratiosTo(appends: readonly AppendResult[], name: string): readonly number[] {
  return appends.flatMap(({ raw, others }) => [
    ...raw.filter(({ durability }) => durability === name).map(({ ratio }) => ratio.median),
    ...others.filter((other) => other.name === name).map(({ ratio }) => ratio.median),
  ]);
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function judgeRatio(name: string, ratioMin: number, ratio: number): Verdict {
  return { sentence: `${formatNumber(ratio)} of the rate of ${name}, at least ${ratioMin}`, isMet: ratio >= ratioMin };
}

function judgeStall({ name, loop }: StallPhase): Verdict {
  return {
    sentence: `${name}: the event loop is held for ${formatNumber(loop.ownMaxMs)} ms at a stretch, at most ${ownStallMsMax}`,
    isMet: loop.ownMaxMs <= ownStallMsMax,
  };
}
