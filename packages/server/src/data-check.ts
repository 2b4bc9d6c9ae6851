import { type DataReport, inspectDataDirectory, type LogStoreError } from "@raftkv/log-store";
import { DiskError } from "@raftkv/raft-node";
import { NodeDisk } from "./ports/node-disk.ts";

/**
 * Reads every byte of a stopped member's data directory on this machine, and changes nothing. Throws a `LogStoreError` if a member
 * runs on it, if it is not there, or if it can't be listed; whatever else is wrong is in the report.
 */
export function checkData(directory: string): Promise<DataReport> {
  return inspectDataDirectory(new NodeDisk(), directory);
}

/** Whether `checkData` was given a directory that nobody can check now: a member runs on it, or there is none. */
export function isWrongDirectory({ code, cause }: LogStoreError): boolean {
  const isNone = cause instanceof DiskError && (cause.code === "not-found" || cause.code === "not-a-directory");
  return isNone || code === "ERR_DATA_DIR_LOCKED";
}
