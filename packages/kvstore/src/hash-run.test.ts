import { beforeEach, expect, test } from "vitest";
import type { HashRun } from "./hash-run.ts";
import { KVStore } from "./kv-store.ts";
import { RevisionError } from "./revision-error.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

let store: KVStore;
beforeEach(() => {
  store = filled(1);
  return () => store.verify();
});

function filled(seed: number): KVStore {
  const target = new KVStore({ seed });
  target.leases.grant(5n, 10, 1);
  for (let i = 0; i < 200; i++) target.set(bytes(`key ${i % 37}`), bytes(`value ${i}`), i % 3 === 0 ? { lease: 5n } : {});
  target.deleteRange(bytes("key 1"), bytes("key 2"));
  return target;
}

function finish(run: HashRun, versionsMax = 1000): number {
  for (;;) {
    const hash = run.step(versionsMax);
    if (hash !== null) return hash;
  }
}

test("a hash is the same on members that differ in seeds and in what they freed", () => {
  const other = filled(2);
  for (const each of [store, other]) each.compact(100);
  while (other.reclaim(10));
  for (const revision of [100, 150, 0]) {
    expect(finish(other.startHash(revision))).toBe(finish(store.startHash(revision)));
  }
});

test("a hash is the same in steps of any size, and an unsigned number", () => {
  const expected = finish(store.startHash(0));
  expect(expected).toBeGreaterThan(0);
  for (const versionsMax of [1, 7, 100]) expect(finish(store.startHash(0), versionsMax)).toBe(expected);
  expect(finish(store.startHash(store.revision))).toBe(expected);
});

test("a hash is of its revision, whatever is written and compacted before it ends", () => {
  const expected = finish(store.startHash(120));
  const run = store.startHash(120);
  expect([run.revision, run.compactRevision]).toEqual([120, -1]);
  let hash: number | null = null;
  for (let i = 0; hash === null; i++) {
    hash = run.step(10);
    store.set(bytes(`key ${i}`), bytes("later"));
    store.remove(bytes(`key ${36 - i}`));
    store.compact(store.revision);
    expect(store.reclaim(10_000)).toBe(hash === null);
  }
  expect(hash).toBe(expected);
});

test("a hash changes with any field of any version", () => {
  const variants: ((target: KVStore) => void)[] = [
    () => {},
    (target) => target.set(bytes("a"), bytes("1")),
    (target) => target.set(bytes("a"), bytes("2")),
    (target) => target.set(bytes("b"), bytes("1")),
    (target) => target.set(bytes("a"), bytes("1"), { lease: 5n }),
    (target) => target.update(bytes("key 0"), bytes("1")),
    (target) => target.remove(bytes("key 0")),
    (target) => target.compact(50),
  ];
  const hashes = variants.map((change) => {
    const target = filled(1);
    change(target);
    return finish(target.startHash(0));
  });
  expect(new Set(hashes).size).toBe(variants.length);
});

test("a hash tells records apart that differ in their version alone", () => {
  const hashes = ["other", "key"].map((fourth) => {
    const target = new KVStore();
    for (const key of ["other", "key", fourth, "key"]) target.set(bytes(key), bytes("value"));
    target.remove(bytes("other"));
    target.compact(target.revision);
    expect(target.find(bytes("key"))).toMatchObject({ createRevision: 3, modRevision: 5, version: fourth === "key" ? 3 : 2 });
    return finish(target.startHash(0));
  });
  expect(hashes[0]).not.toBe(hashes[1]);
});

test("a hash that is closed lets compacted memory go", () => {
  const run = store.startHash(0);
  store.compact(store.revision);
  expect(store.reclaim(10_000)).toBe(true);
  run.close();
  run.close();
  expect(store.reclaim(10_000)).toBe(false);
  expect(() => run.step(1)).toThrow("Versions are read until they end or are closed");
});

test("a revision that can't be read has no hash", () => {
  store.compact(100);
  expect(() => store.startHash(99)).toThrow(RevisionError);
  expect(() => store.startHash(store.revision + 1)).toThrow("is above the current");
});
