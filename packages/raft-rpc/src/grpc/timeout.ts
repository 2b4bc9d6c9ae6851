const pattern = /^([0-9]{1,8})([HMSmun])$/;
const msByUnit: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const digitsMax = 99_999_999;

/** `grpc-timeout` in milliseconds; null if it is malformed (PROTOCOL-HTTP2). */
export function parseTimeout(text: string): number | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [, digits = "", unit = ""] = match;
  return Number(digits) * (msByUnit[unit] ?? 0);
}

/**
 * A timeout as `grpc-timeout`, rounded up to three digits: the server may wait a little longer than the client, and equal calls have
 * equal header blocks, which the server then finds in its cache.
 */
export function formatTimeout(timeoutMs: number): string {
  if (timeoutMs <= 0) return "0n";
  if (timeoutMs < 1) return `${Math.ceil(timeoutMs * 1000)}u`;
  const unitMs = 10 ** Math.max(0, Math.floor(Math.log10(timeoutMs)) - 2);
  const rounded = Math.ceil(timeoutMs / unitMs) * unitMs;
  if (rounded <= digitsMax) return `${rounded}m`;
  const seconds = Math.ceil(timeoutMs / 1000);
  if (seconds <= digitsMax) return `${seconds}S`;
  return `${Math.min(Math.ceil(seconds / 3600), digitsMax)}H`;
}
