import type { LoadShape } from "../load/load-shape.ts";

export const watchScenarioNames = ["watch-one", "watch-many"] as const;
export type WatchScenarioName = (typeof watchScenarioNames)[number];

/** Who watches what while keys are put. */
export interface WatchScenario {
  readonly name: WatchScenarioName;
  /** For people. */
  readonly title: string;
  readonly watchers: number;
  /** Watcher w watches key w % watchedKeys; those are the keys that are put. */
  readonly watchedKeys: number;
  /** In one turn of one system. */
  readonly puts: number;
  readonly shape: LoadShape;
}

export const watchScenarios: Readonly<Record<WatchScenarioName, WatchScenario>> = {
  "watch-one": {
    name: "watch-one",
    title: "1,000 watchers on one key",
    watchers: 1000,
    watchedKeys: 1,
    puts: 500,
    shape: { connections: 1, inFlight: 10 },
  },
  "watch-many": {
    name: "watch-many",
    title: "10,000 watchers on distinct keys",
    watchers: 10_000,
    watchedKeys: 10_000,
    puts: 100_000,
    shape: { connections: 10, inFlight: 100 },
  },
};

/** Events that one put makes. */
export function eventsOfPut({ watchers, watchedKeys }: WatchScenario): number {
  return watchers / watchedKeys;
}
