import { readFileSync } from "node:fs";

const bytesPerKiB = 1024;

/** Resident bytes of a process (proc(5), VmRSS). Null where there is no /proc, or no such process. */
export function readResidentBytes(processId: number): number | null {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, "latin1"))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * bytesPerKiB;
  } catch {
    return null;
  }
}
