import { formatNumber } from "../report/number-format.ts";
import type { RecoveryResult } from "./recovery-run.ts";

const bytesPerMiB = 1024 * 1024;

/** What a start took, in sentences. */
export function formatRecovery(result: RecoveryResult): readonly string[] {
  const { entries, logBytes, snapshotBytes, openMs, readSnapshotMs, replayMs, idleRssBytes, peakRssBytes } = result;
  const mib = (bytes: number): string => `${formatNumber(bytes / bytesPerMiB)} MiB`;
  const rate = (bytes: number, ms: number): string => `${formatNumber(bytes / 1e6 / (ms / 1000))} MB/s`;
  return [
    `A log of ${mib(logBytes)} in ${entries.toLocaleString("en-US")} entries and a snapshot of ${mib(snapshotBytes)}, in the page cache:`,
    `open      ${formatNumber(openMs)} ms, every byte of both checked: ${rate(logBytes + snapshotBytes, openMs)}`,
    `snapshot  ${formatNumber(readSnapshotMs)} ms to read it once more: ${rate(snapshotBytes, readSnapshotMs)}`,
    `log       ${formatNumber(replayMs)} ms to read it once more: ${rate(logBytes, replayMs)}`,
    `memory    ${mib(peakRssBytes)} resident at most, ${mib(idleRssBytes)} before`,
  ];
}
