import { formatNumber } from "../report/number-format.ts";
import type { HistoryResult } from "./history-run.ts";
import type { OperationName, OperationResult } from "./operation-run.ts";

export interface Verdict {
  readonly sentence: string;
  readonly isMet: boolean;
}

/** What an operation on a million keys of 64 bytes may take, in microseconds. */
const microsMax: Partial<Record<OperationName, number>> = { read: 1, overwrite: 4, insert: 4 };
const sliceMsMax = 5;
const bytesPerVersionMax = 64;

/** `results` are those of the key-value store. */
export function judgeKvstoreTargets(results: readonly OperationResult[], history: HistoryResult): readonly Verdict[] {
  const operations = results.flatMap(({ operation, micros }) => {
    const max = microsMax[operation];
    if (max === undefined) return [];
    return [{ sentence: `${operation}: ${formatNumber(micros.median)} us, at most ${max}`, isMet: micros.median <= max }];
  });
  return [
    ...operations,
    {
      sentence: `a chunk of a snapshot: ${formatNumber(history.snapshotChunkMs)} ms, at most ${sliceMsMax}`,
      isMet: history.snapshotChunkMs <= sliceMsMax,
    },
    {
      sentence: `an older version: ${formatNumber(history.bytesPerOlderVersion)} bytes beside its value, at most ${bytesPerVersionMax}`,
      isMet: history.bytesPerOlderVersion <= bytesPerVersionMax,
    },
  ];
}
