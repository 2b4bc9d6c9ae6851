import { ConfigError } from "./config-error.ts";
import { durationMs, wholeNumber } from "./option-value.ts";
import type { OptionName } from "./options.ts";

/** How clients may watch a member. */
export interface WatchConfig {
  /** A watcher that wants it is told after this long without events how far it is. */
  readonly progressNotifyMs: number;
  /** Of one stream. */
  readonly streamWatchersMax: number;
  /** Of all streams together. */
  readonly watchersMax: number;
}

/** As etcd's. */
const progressNotifyMsMin = 100;
const progressNotifyMsMax = 30 * 24 * 3_600_000;
const watchersMaxMax = 10_000_000;

export function watchConfig(text: (flag: OptionName) => string): WatchConfig {
  const flag = "watch-progress-notify-interval";
  const progressNotifyMs = durationMs(text(flag), flag);
  if (progressNotifyMs < progressNotifyMsMin || progressNotifyMs > progressNotifyMsMax) {
    throw new ConfigError(`--${flag} ${text(flag)} is not between 100ms and 720h`);
  }
  const count = { min: 1, max: watchersMaxMax };
  return {
    progressNotifyMs,
    streamWatchersMax: wholeNumber(text("max-watchers-per-stream"), "max-watchers-per-stream", count),
    watchersMax: wholeNumber(text("max-watchers"), "max-watchers", count),
  };
}
