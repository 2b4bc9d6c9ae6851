import { performance } from "node:perf_hooks";
import { type Spread, spread } from "../statistics.ts";
import { benchKeys, shuffled } from "./bench-keys.ts";
import type { KvstoreBenchOptions } from "./kvstore-options.ts";
import type { OrderedStore } from "./ordered-store.ts";

export const operationNames = ["read", "overwrite", "insert", "remove", "scan 100"] as const;
export type OperationName = (typeof operationNames)[number];

export interface OperationResult {
  readonly store: string;
  readonly operation: OperationName;
  /** Microseconds of one operation, one value per round. */
  readonly micros: Spread;
}

const scanLimit = 100;
/** Of one operation in one round: an array that is kept sorted takes milliseconds for an insert. */
const turnMs = 1000;
const operationsPerLook = 64;

/**
 * Fills the store, and measures each operation in each round with keys in another order. Inserts and removals take turns. A round in
 * front of the others warms the code up and does not count.
 */
export function measureOperations(store: OrderedStore, options: KvstoreBenchOptions): readonly OperationResult[] {
  const { keyCount, operations, rounds } = options;
  const extraCount = Math.min(operations, keyCount);
  const all = benchKeys(keyCount + extraCount, options.keyBytes);
  const loaded = all.slice(0, keyCount);
  const extra = all.slice(keyCount);
  const value = new Uint8Array(options.valueBytes).fill(0x61);
  store.load(loaded, value);
  const actions: Record<OperationName, (key: Uint8Array) => void> = {
    read: (key) => expectFound(store.read(key)),
    overwrite: (key) => store.write(key, value),
    insert: (key) => store.write(key, value),
    remove: (key) => store.remove(key),
    "scan 100": (key) => expectFound(store.scan(key, scanLimit)),
  };
  const micros = new Map(operationNames.map((name) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    const existing = shuffled(loaded, round + 1).slice(0, operations);
    const missing = shuffled(extra, round + 1);
    for (const name of operationNames) {
      const keys = name === "insert" || name === "remove" ? missing : existing;
      const took = timed(keys, actions[name]);
      if (round > 0) micros.get(name)?.push(took);
      // What a slow store did not come to in its time.
      if (name === "remove") for (const key of missing) store.remove(key);
    }
    store.settle();
  }
  return operationNames.map((operation) => ({ store: store.name, operation, micros: spread(micros.get(operation) ?? []) }));
}

/** Microseconds of one call. */
function timed(keys: readonly Uint8Array[], action: (key: Uint8Array) => void): number {
  const begunMs = performance.now();
  let done = 0;
  while (done < keys.length) {
    const end = Math.min(done + operationsPerLook, keys.length);
    for (; done < end; done++) action(keys[done] as Uint8Array);
    if (performance.now() - begunMs > turnMs) break;
  }
  return ((performance.now() - begunMs) * 1000) / done;
}

function expectFound(found: number): void {
  if (found === 0) throw new Error("A store has lost a key that was written");
}
