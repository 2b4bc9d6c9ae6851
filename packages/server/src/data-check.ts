import { type DataReport, inspectDataDirectory } from "@raftkv/log-store";
import { NodeDisk } from "./ports/node-disk.ts";

/**
 * Reads every byte of a stopped member's data directory on this machine, and changes nothing. Throws a `LogStoreError` if a member
 * runs on it, if it is not there, or if it can't be read at all; whatever else is wrong is in the report.
 */
export function checkData(directory: string): Promise<DataReport> {
  return inspectDataDirectory(new NodeDisk(), directory);
}
