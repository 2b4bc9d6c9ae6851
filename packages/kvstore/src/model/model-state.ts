import type { HashRun } from "../hash-run.ts";
import type { KVSnapshot } from "../kv-snapshot.ts";
import { KVStore } from "../kv-store.ts";
import type { SessionLimits } from "../session/session-table.ts";
import { differenceOf, shown } from "./difference.ts";
import { NaiveSessions } from "./naive-sessions.ts";
import { NaiveStore } from "./naive-store.ts";
import { RequestGenerator } from "./request-generator.ts";
import { SeededChoice } from "./seeded-choice.ts";

/** Small, so that all of them are met. */
const sessionLimits: SessionLimits = {
  sessionsMax: 4,
  resultsPerSessionMax: 3,
  resultBytesMax: 1700,
  replaceableAfterMs: 100,
  expiresAfterMs: 1000,
  advanceMaxMs: 400,
};

/** Steps that a failure shows. */
const traceLength = 30;

/** Something that stores and model can be asked to do. */
export interface Step {
  /** How often it is taken. */
  readonly weight: number;
  run(state: ModelState): void;
}

/** A snapshot that is being read, and what the model was when it was opened. */
export interface OpenSnapshot {
  readonly reader: KVSnapshot;
  readonly chunks: Uint8Array[];
  readonly model: NaiveStore;
  readonly sessions: NaiveSessions;
}

/** Two stores with different seeds, and the model of what both have to be. */
export class ModelState {
  readonly model = new NaiveStore();
  readonly sessions = new NaiveSessions(sessionLimits);
  stores: readonly [KVStore, KVStore] = [newStore(1), newStore(2)];
  snapshot: OpenSnapshot | null = null;
  /** Of the first store, and what the second one said at once. */
  hash: { readonly run: HashRun; readonly expected: number } | null = null;
  choice = new SeededChoice(0);
  generator = new RequestGenerator(this.choice, this.model);
  /** Of the last log entry that mattered. */
  index = 0;
  /** The leader's clock. */
  readingMs = 1_700_000_000_000;
  readonly #trace: { readonly name: string; details: readonly unknown[] }[] = [];

  /** Begins a step whose choices come from the seed. */
  begin(name: string, choice: SeededChoice): void {
    this.choice = choice;
    this.generator = new RequestGenerator(choice, this.model);
    this.#trace.push({ name, details: [] });
    if (this.#trace.length > traceLength) this.#trace.shift();
  }

  /** Notes what the step does, for a failure to show. */
  note(...details: readonly unknown[]): void {
    const last = this.#trace.at(-1);
    if (last !== undefined) last.details = details;
  }

  /** @throws Error if the answer is not the expected one. */
  expect(actual: unknown, expected: unknown): void {
    const difference = differenceOf(actual, expected);
    if (difference !== null) throw new Error(difference);
  }

  /** Asks both stores. */
  expectBoth(ask: (store: KVStore) => unknown, expected: unknown): void {
    for (const store of this.stores) this.expect(ask(store), expected);
  }

  get shownTrace(): string {
    return this.#trace.map(({ name, details }) => `  ${name} ${details.map(shown).join(" ")}`).join("\n");
  }
}

export function newStore(seed: number): KVStore {
  return new KVStore({ seed, sessionLimits });
}
