import fc from "fast-check";
import { expect, test } from "vitest";
import { KVStore } from "./kv-store.ts";
import { bytesOf } from "./model/bytes-as-text.ts";

const key = fc.oneof(fc.integer({ min: 0, max: 40 }).map(String), fc.constantFrom("", "k".repeat(64), "k".repeat(256), "k".repeat(2_000)));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("put" as const), keys: fc.array(key, { maxLength: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), keys: fc.array(key, { maxLength: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("compact" as const), keys: fc.constant([]) }) },
);

function snapshotOf(store: KVStore): readonly Uint8Array[] {
  const snapshot = store.snapshot();
  const chunks: Uint8Array[] = [];
  for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) chunks.push(chunk.slice());
  snapshot.close();
  return chunks;
}

test("a store that reads ahead is the same as one that does not", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [plain, ahead] = [new KVStore(), new KVStore()];
      for (const { type, keys } of steps) {
        const { writePrefetch } = ahead;
        const source = keys.map((each) => bytesOf(`<${each}>`));
        for (const each of source) writePrefetch.add(each, 1, each.length - 2);
        writePrefetch.run();
        for (const store of [plain, ahead]) {
          for (const each of keys) {
            if (each === "") continue;
            if (type === "put") store.set(bytesOf(each), bytesOf(type));
            else store.deleteRange(bytesOf(each), bytesOf(""));
          }
          if (type === "compact" && store.revision > Math.max(store.compactRevision, 0)) store.compact(store.revision);
          store.reclaim(10);
        }
      }
      ahead.verify();
      expect(snapshotOf(ahead)).toEqual(snapshotOf(plain));
    }),
  );
});

test("what is read is what there is of the keys", () => {
  const store = new KVStore();
  store.set(bytesOf("a"), bytesOf("1"));
  store.set(bytesOf("a"), bytesOf("2"));
  const { writePrefetch } = store;
  writePrefetch.add(bytesOf("no such key"), 0, 11);
  writePrefetch.run();
  const nothing = writePrefetch.witness;
  writePrefetch.add(bytesOf("a"), 0, 1);
  writePrefetch.run();
  expect([nothing, writePrefetch.witness === 0]).toEqual([0, false]);
});
