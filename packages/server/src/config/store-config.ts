import { ConfigError } from "./config-error.ts";
import { durationMs, oneOf, wholeNumber } from "./option-value.ts";
import type { OptionName } from "./options.ts";

/** What the store of a member may grow to, and what is given up by itself. */
export interface StoreConfig {
  /** Infinity for no quota. */
  readonly quotaBytes: number;
  /** Operations of a transaction, in its longest list. */
  readonly maxTxnOps: number;
  readonly autoCompaction: AutoCompaction;
}

export type AutoCompaction =
  | { readonly mode: "off" }
  /** Keeps the history of the last `periodMs`. */
  | { readonly mode: "periodic"; readonly periodMs: number }
  /** Keeps the last `revisions` revisions. */
  | { readonly mode: "revision"; readonly revisions: number };

/** etcd's. */
const quotaBytesDefault = 2 * 1024 ** 3;
const hourMs = 3_600_000;
/** A tenth of it is how often the revision is noted. */
const periodMsMin = 1_000;
/** Ten years, and no more notes than that. */
const periodMsMax = 87_600 * hourMs;

/** Throws ConfigError with the first thing that is wrong. */
export function storeConfig(text: (flag: OptionName) => string): StoreConfig {
  return {
    quotaBytes: quotaBytes(text("quota-backend-bytes")),
    maxTxnOps: wholeNumber(text("max-txn-ops"), "max-txn-ops", { min: 1, max: 1_000_000 }),
    autoCompaction: autoCompaction(text("auto-compaction-mode"), text("auto-compaction-retention")),
  };
}

/** 0 is the default, below 0 there is none. */
function quotaBytes(text: string): number {
  if (/^-\d+$/.test(text)) return Number.POSITIVE_INFINITY;
  return wholeNumber(text, "quota-backend-bytes", { min: 0, max: Number.MAX_SAFE_INTEGER }) || quotaBytesDefault;
}

/** Periodic retention is a duration, or a plain number of hours. 0 is off. */
function autoCompaction(modeText: string, retention: string): AutoCompaction {
  const flag = "auto-compaction-retention";
  const mode = oneOf(modeText, "auto-compaction-mode", ["periodic", "revision"]);
  const isPlainNumber = /^\d+$/.test(retention);
  if (mode === "revision") {
    const revisions = wholeNumber(retention, flag, { min: 0, max: Number.MAX_SAFE_INTEGER });
    return revisions === 0 ? { mode: "off" } : { mode, revisions };
  }
  const periodMs = isPlainNumber ? Number(retention) * hourMs : durationMs(retention, flag);
  if (periodMs === 0) return { mode: "off" };
  if (periodMs < periodMsMin || periodMs > periodMsMax) throw new ConfigError(`--${flag} ${retention} is not between 1s and 87600h`);
  return { mode, periodMs };
}
