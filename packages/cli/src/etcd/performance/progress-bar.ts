const width = 40;

/** `[#####...........] 12.5% 7 s left`, without an end of line. */
export function progressBar(doneMs: number, totalMs: number): string {
  const part = Math.min(Math.max(doneMs / totalMs, 0), 1);
  const filled = Math.round(width * part);
  const left = Math.ceil((totalMs * (1 - part)) / 1000);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${(100 * part).toFixed(1).padStart(5)}% ${left} s left`;
}
