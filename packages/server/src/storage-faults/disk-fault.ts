import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Why faults can't be put under a process here; null if they can. */
export const noDiskFaults: string | null =
  process.platform !== "linux"
    ? "Faults of the disk are put under a process through LD_PRELOAD of Linux: their tests are skipped"
    : spawnSync("cc", ["--version"]).status !== 0
      ? "There is no C compiler: tests of a failing disk are skipped"
      : null;

export interface DiskFault {
  /** Files below it are meant. It need not exist yet. */
  readonly directory: string;
  /** Which writing or syncing call fails, from 1; all others succeed, also those after it. */
  readonly failingCall?: number;
  /** What the failing call leaves: nothing, or bytes that can be read and are not durable. Default: nothing. */
  readonly effect?: "lost" | "kept";
  /** While this file exists, each durable call takes as many milliseconds longer as it says. */
  readonly delayFile?: string;
}

/** Builds the library that stands between a process and its disk into `directory`; returns its path. */
export function buildDiskFaults(directory: string): string {
  const path = join(directory, "disk-fault.so");
  const source = fileURLToPath(new URL("./disk-fault.c", import.meta.url));
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"]);
  return path;
}

/** What a process needs in its environment to have this fault. */
export function faultEnvironment(library: string, fault: DiskFault): Readonly<Record<string, string>> {
  const { directory, failingCall, effect = "lost", delayFile } = fault;
  return {
    LD_PRELOAD: library,
    RAFTKV_FAULT_DIRECTORY: directory,
    RAFTKV_FAULT_REPORT: reportPath(directory),
    RAFTKV_FAULT_EFFECT: effect,
    ...(failingCall === undefined ? {} : { RAFTKV_FAULT_CALL: String(failingCall) }),
    ...(delayFile === undefined ? {} : { RAFTKV_FAULT_DELAY_FILE: delayFile }),
  };
}

/** The call that failed, as `fdatasync /data/wal/…`; null if it was never reached. */
export function failedCall(directory: string): string | null {
  return existsSync(reportPath(directory)) ? readFileSync(reportPath(directory), "utf8").trim() : null;
}

function reportPath(directory: string): string {
  return `${directory}.fault`;
}
