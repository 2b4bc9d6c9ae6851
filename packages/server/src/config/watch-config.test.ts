import { describe, expect, test } from "vitest";
import { memberConfig } from "./member-config.ts";
import { readOptions, unknownVariables } from "./option-source.ts";
import type { WatchConfig } from "./watch-config.ts";

function configOf(...args: readonly string[]): WatchConfig {
  return memberConfig(readOptions(args, {})).watch;
}

describe("the configuration of watches", () => {
  test("has etcd's interval, and limits where etcd has none", () => {
    expect(configOf()).toEqual({ progressNotifyMs: 600_000, streamWatchersMax: 50_000, watchersMax: 250_000 });
  });

  test("takes what is given", () => {
    const args = ["--watch-progress-notify-interval=1m30s", "--max-watchers=10", "--max-watchers-per-stream=5"];
    expect(configOf(...args)).toEqual({ progressNotifyMs: 90_000, streamWatchersMax: 5, watchersMax: 10 });
  });

  test("takes the interval by its name of etcd 3.4 too, as a flag and as a variable", () => {
    expect(configOf("--experimental-watch-progress-notify-interval", "1s").progressNotifyMs).toBe(1_000);
    const environment = { ETCD_EXPERIMENTAL_WATCH_PROGRESS_NOTIFY_INTERVAL: "2s" };
    expect(memberConfig(readOptions([], environment)).watch.progressNotifyMs).toBe(2_000);
    expect(unknownVariables(environment)).toEqual([]);
    const both = ["--experimental-watch-progress-notify-interval=1s", "--watch-progress-notify-interval=1s"];
    expect(() => configOf(...both)).toThrow("--watch-progress-notify-interval is given twice");
  });

  test.each([
    ["--watch-progress-notify-interval=99ms", "--watch-progress-notify-interval 99ms is not between 100ms and 720h"],
    ["--watch-progress-notify-interval=721h", "--watch-progress-notify-interval 721h is not between 100ms and 720h"],
    [
      "--watch-progress-notify-interval=often",
      '--watch-progress-notify-interval "often" is not a duration, give one like 10s, 5m or 1h30m',
    ],
    ["--max-watchers=0", "--max-watchers 0 is not between 1 and 10000000"],
    ["--max-watchers-per-stream=x", '--max-watchers-per-stream "x" is not a whole number'],
  ])("refuses %s", (argument, message) => {
    expect(() => configOf(argument)).toThrow(message);
  });
});
