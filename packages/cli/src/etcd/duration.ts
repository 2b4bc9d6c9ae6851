const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 };
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;

/** Reads `5s`, `1m30s`, `0.5h`, `0`: milliseconds, or null if it is no duration. */
export function parseDurationMs(text: string): number | null {
  if (text === "0") return 0;
  let totalMs = 0;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return null;
    totalMs += Number(match[1]) * (unitMs[match[2] ?? ""] ?? 0);
  }
  return text === "" ? null : totalMs;
}

/** `1.591264ms`, `2.5s`: as etcdctl shows how long something took. */
export function durationText(ms: number): string {
  if (ms >= 1000) return `${trimmed(ms / 1000)}s`;
  return ms >= 1 ? `${trimmed(ms)}ms` : `${trimmed(ms * 1000)}µs`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(6)));
}
