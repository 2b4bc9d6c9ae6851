import { readFileSync } from "node:fs";

export interface CpuTime {
  readonly userMs: number;
  readonly systemMs: number;
}

/** USER_HZ: on every Linux that Node.js runs on, /proc counts hundredths of a second. */
const msPerTick = 10;

/** CPU time of all threads of a process since its start (proc(5), /proc/PID/stat). Null where there is no /proc, or no such process. */
export function readCpuTime(processId: number): CpuTime | null {
  try {
    return parseCpuTime(readFileSync(`/proc/${processId}/stat`, "latin1"));
  } catch {
    return null;
  }
}

/** `stat`: the line of /proc/PID/stat. Null if it is not one. */
export function parseCpuTime(stat: string): CpuTime | null {
  // The program's name stands in parentheses and may hold anything, also parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const userMs = Number(fields[11]) * msPerTick;
  const systemMs = Number(fields[12]) * msPerTick;
  return stat.includes(")") && Number.isFinite(userMs) && Number.isFinite(systemMs) ? { userMs, systemMs } : null;
}

/** User and system time between two readings, in milliseconds, or null if one is missing. */
export function cpuBetween(before: CpuTime | null, after: CpuTime | null): number | null {
  if (before === null || after === null) return null;
  return after.userMs + after.systemMs - before.userMs - before.systemMs;
}
