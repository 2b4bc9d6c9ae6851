import { tmpdir } from "node:os";
import { knownNames, parseFlags, secondsInMs, wholeNumber } from "../option-values.ts";

export const partNames = ["append", "stall", "recovery"] as const;
export type PartName = (typeof partNames)[number];

export interface LogStoreBenchOptions {
  readonly parts: readonly PartName[];
  /** Sizes of entries, and numbers of callers: each with each. */
  readonly entrySizes: readonly number[];
  readonly callerCounts: readonly number[];
  readonly rounds: number;
  /** Of one system in one round of appends. */
  readonly turnMs: number;
  /** Size of the snapshots that are written and read under appends. */
  readonly snapshotBytes: number;
  /** Size of log and of snapshot that a start reads. */
  readonly recoveryBytes: number;
  /** A folder for the data is made in it, and removed. */
  readonly directory: string;
  /** Fail when a target is missed. */
  readonly check: boolean;
}

const bytesPerMiB = 1024 * 1024;
const entryBytesMax = 4 * bytesPerMiB;
const callersMax = 1000;
const sizeMaxMiB = 4096;

export const usage = `Usage: npm run bench -w packages/log-store -- [options]

Measures the log store on the disk of this machine, beside the bare disk, LevelDB and LMDB: about a minute.

  --only NAMES         parts, of ${partNames.join(",")} (default all)
  --bytes LIST         sizes of entries (default 64,256,4096,65536)
  --callers LIST       callers at once, each waiting for its entry (default 1,10,100)
  --rounds N           rounds of each cell; all systems take turns (default 3)
  --seconds S          length of one system's turn (default 0.2)
  --snapshot-mib N     size of the snapshots that are saved and read under appends (default 256)
  --recovery-mib N     size of the log, and of the snapshot, that a start reads (default 512)
  --directory DIR      where the data are; removed afterwards (default ${tmpdir()})
  --check              fail when a target is missed
  --help
`;

const flags = {
  only: { type: "string", default: partNames.join(",") },
  bytes: { type: "string", default: "64,256,4096,65536" },
  callers: { type: "string", default: "1,10,100" },
  rounds: { type: "string", default: "3" },
  seconds: { type: "string", default: "0.2" },
  "snapshot-mib": { type: "string", default: "256" },
  "recovery-mib": { type: "string", default: "512" },
  directory: { type: "string", default: tmpdir() },
  check: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** Null: help is asked for. Throws UsageError. */
export function parseLogStoreBenchOptions(args: readonly string[]): LogStoreBenchOptions | null {
  const values = parseFlags(args, flags);
  if (values.help) return null;
  const list = (flag: string, text: string, max: number): readonly number[] => text.split(",").map((part) => wholeNumber(flag, part, max));
  return {
    parts: knownNames("Part", values.only, partNames),
    entrySizes: list("--bytes", values.bytes, entryBytesMax),
    callerCounts: list("--callers", values.callers, callersMax),
    rounds: wholeNumber("--rounds", values.rounds, 1000),
    turnMs: secondsInMs("--seconds", values.seconds, 0.01),
    snapshotBytes: wholeNumber("--snapshot-mib", values["snapshot-mib"], sizeMaxMiB) * bytesPerMiB,
    recoveryBytes: wholeNumber("--recovery-mib", values["recovery-mib"], sizeMaxMiB) * bytesPerMiB,
    directory: values.directory,
    check: values.check,
  };
}
