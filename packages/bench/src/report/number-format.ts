import type { Spread } from "../statistics.ts";

/** Three significant figures at least, thousands separated: `12,345`, `123`, `12.3`, `0.123`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const decimals = Math.abs(value) >= 100 || value === 0 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** `12,000-12,900`. */
export function formatBounds({ min, max }: Spread): string {
  return `${formatNumber(min)}-${formatNumber(max)}`;
}

/** `7.4 %`. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
