import { KVStore } from "@raftkv/kvstore";
import { describe, expect, test } from "vitest";
import { ClassCounter } from "../../metrics/class-counter.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { StoreHasher } from "./maintenance-hash.ts";

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);

function storeOf(keys: number, seed: number): KVStore {
  const store = new KVStore({ seed });
  for (let i = 0; i < keys; i++) store.update(text(`key ${i}`), text(`value ${i}`));
  return store;
}

const seconds = new ClassCounter([]);

describe("The hash of a store", () => {
  test("depends on the keys up to the revision, and on nothing of this member", async () => {
    const clock = new ManualClock();
    const [one, other] = [new StoreHasher(storeOf(1_000, 1), clock), new StoreHasher(storeOf(1_000, 2), clock)];
    const hashes = Promise.all([one.hash(0, seconds), other.hash(0, seconds), one.hash(500, seconds), other.hash(500, seconds)]);
    await clock.run(100);
    const [newest, newestOther, older, olderOther] = await hashes;
    expect(newest).toEqual({ hash: newestOther.hash, hashRevision: 1_001, compactRevision: -1 });
    expect(older).toEqual(olderOther);
    expect(older.hash).not.toBe(newest.hash);
  });

  test("is made of the moment in which its turn comes, and refused at a revision that is not there then", async () => {
    const clock = new ManualClock();
    const store = storeOf(300, 1);
    const hasher = new StoreHasher(store, clock);
    const [first, second, third] = [hasher.hash(0, seconds), hasher.hash(10, seconds), hasher.hash(400, seconds)];
    store.compact(11);
    await clock.run(100);
    expect(await first).toMatchObject({ hashRevision: 301, compactRevision: 11 });
    await expect(second).rejects.toMatchObject({ code: 11, message: "etcdserver: mvcc: required revision has been compacted" });
    await expect(third).rejects.toMatchObject({ code: 11, message: "etcdserver: mvcc: required revision is a future revision" });
  });

  test("is not asked for by too many at once", async () => {
    const clock = new ManualClock();
    const hasher = new StoreHasher(storeOf(1, 1), clock);
    const asked = Array.from({ length: 32 }, () => hasher.hash(0, seconds));
    expect(() => hasher.hash(0, seconds)).toThrow("32 hashes are asked for already");
    await clock.run(100);
    await Promise.all(asked);
    const again = hasher.hash(0, seconds);
    await clock.run(100);
    expect((await again).hashRevision).toBe(2);
  });
});
