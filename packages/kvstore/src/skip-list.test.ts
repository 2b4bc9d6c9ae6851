import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOfBytes } from "./byte-order.ts";
import { NodeArena, type NodeRef } from "./node-arena.ts";
import { SearchKey } from "./search-key.ts";
import { SkipList } from "./skip-list.ts";
import { TowerHeights, towerHeightMax } from "./tower-heights.ts";

/** Keys that share long beginnings, end in zeros, and cross word boundaries. */
const trickyKeys = fc.array(fc.constantFrom(0x00, 0x01, 0x61, 0xff), { minLength: 1, maxLength: 14 }).map((bytes) => new Uint8Array(bytes));

class ListUnderTest {
  readonly nodes = new NodeArena();
  readonly list = new SkipList(this.nodes);
  readonly #key = new SearchKey();
  readonly #heights: TowerHeights;

  constructor(seed: number) {
    this.#heights = new TowerHeights(seed);
  }

  seek(bytes: Uint8Array): NodeRef {
    this.#key.load(bytes);
    return this.list.seek(this.#key);
  }

  insert(bytes: Uint8Array): void {
    this.seek(bytes);
    if (!this.list.exact) this.list.link(this.nodes.create(this.#key, this.#heights.next()));
  }

  append(bytes: Uint8Array, state: "alive" | "deleted" = "alive"): void {
    this.#key.load(bytes);
    this.list.append(this.nodes.create(this.#key, this.#heights.next()), state);
  }

  mark(bytes: Uint8Array, state: "alive" | "deleted"): void {
    const node = this.seek(bytes);
    if (this.list.exact && this.list.isAlive(node) !== (state === "alive")) this.list.mark(node, state);
  }

  remove(bytes: Uint8Array): void {
    const node = this.seek(bytes);
    if (!this.list.exact) return;
    this.mark(bytes, "deleted");
    this.seek(bytes);
    this.list.unlink(node);
    this.nodes.free(node);
  }

  keyOf(node: NodeRef): number[] {
    const offset = this.nodes.keyOffset(node);
    return [...this.nodes.keyPage(node).subarray(offset, offset + this.nodes.keyLength(node))];
  }

  keys(): number[][] {
    const keys: number[][] = [];
    for (let node = this.list.first(); node !== 0; node = this.list.next(node)) keys.push(this.keyOf(node));
    return keys;
  }
}

function sortedUnique(keys: readonly Uint8Array[]): number[][] {
  const unique = new Map(keys.map((key) => [key.join(), key]));
  return [...unique.values()].sort(orderOfBytes).map((key) => [...key]);
}

describe("SkipList", () => {
  test("holds any keys in byte order, with sound towers and links, through inserts and removals", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), trickyKeys), { maxLength: 120 });
    fc.assert(
      fc.property(steps, fc.integer(), (operations, seed) => {
        const subject = new ListUnderTest(seed);
        const kept = new Map<string, Uint8Array>();
        for (const [kind, key] of operations) {
          if (kind === 0) {
            subject.remove(key);
            kept.delete(key.join());
          } else {
            subject.insert(key);
            kept.set(key.join(), key);
          }
          subject.list.verify();
        }
        expect(subject.keys()).toEqual(sortedUnique([...kept.values()]));
        expect(subject.list.count).toBe(kept.size);
      }),
      { numRuns: 200 },
    );
  });

  test("a seek ends at the first key that is not less, and knows if it is the key", () => {
    fc.assert(
      fc.property(fc.array(trickyKeys, { maxLength: 60 }), fc.array(trickyKeys, { minLength: 1, maxLength: 30 }), (keys, sought) => {
        const subject = new ListUnderTest(1);
        for (const key of keys) subject.insert(key);
        const sorted = sortedUnique(keys);
        for (const key of sought) {
          const expected = sorted.find((each) => orderOfBytes(new Uint8Array(each), key) >= 0);
          const node = subject.seek(key);
          expect(node === 0 ? undefined : subject.keyOf(node)).toEqual(expected);
          expect(subject.list.exact).toBe(expected?.join() === key.join());
        }
      }),
      { numRuns: 200 },
    );
  });

  test("appending in key order gives the same list as inserting in any order", () => {
    fc.assert(
      fc.property(fc.array(trickyKeys, { maxLength: 60 }), (keys) => {
        const inserted = new ListUnderTest(1);
        for (const key of keys) inserted.insert(key);
        const appended = new ListUnderTest(2);
        for (const key of sortedUnique(keys)) appended.append(new Uint8Array(key));
        appended.list.verify();
        expect(appended.keys()).toEqual(inserted.keys());
      }),
    );
  });

  test("knows how many living nodes are in front of a key, whatever lives, dies, comes and goes", () => {
    const step = fc.tuple(fc.constantFrom("insert", "remove", "deleted", "alive"), trickyKeys);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer(), (steps, seed) => {
        const subject = new ListUnderTest(seed);
        const living = new Map<string, Uint8Array>();
        const known = new Set<string>();
        for (const [kind, key] of steps) {
          const name = key.join();
          if (kind === "insert") subject.insert(key);
          else if (kind === "remove") subject.remove(key);
          else subject.mark(key, kind);
          const isNew = !known.has(name);
          if ((kind === "insert" && isNew) || (kind === "alive" && !isNew)) living.set(name, key);
          if (kind === "remove" || kind === "deleted") living.delete(name);
          if (kind === "insert") known.add(name);
          if (kind === "remove") known.delete(name);
          subject.list.verify();
        }
        const sorted = sortedUnique([...living.values()]);
        expect(subject.list.liveCount).toBe(sorted.length);
        for (const [, key] of steps) {
          subject.seek(key);
          expect(subject.list.rank).toBe(sorted.filter((each) => orderOfBytes(new Uint8Array(each), key) < 0).length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a list that is built with deleted nodes counts the others", () => {
    const subject = new ListUnderTest(9);
    for (let i = 0; i < 200; i++) subject.append(new Uint8Array([i]), i % 3 === 0 ? "deleted" : "alive");
    subject.list.verify();
    subject.seek(new Uint8Array([150]));
    expect([subject.list.liveCount, subject.list.rank]).toEqual([133, 100]);
  });

  test("a run of nodes is deleted, and then unlinked, one after the other with a single seek each", () => {
    const subject = new ListUnderTest(3);
    for (let i = 0; i < 200; i++) subject.insert(new Uint8Array([7, i]));
    let marked = subject.seek(new Uint8Array([7, 50]));
    for (let i = 50; i < 150; i++) {
      subject.list.mark(marked, "deleted");
      marked = subject.list.next(marked);
      expect(subject.list.leadsTo(marked)).toBe(true);
      subject.list.verify();
    }
    let node = subject.seek(new Uint8Array([7, 50]));
    for (let i = 50; i < 150; i++) {
      const next = subject.list.next(node);
      subject.list.unlink(node);
      subject.nodes.free(node);
      node = next;
      subject.list.verify();
    }
    expect(subject.keys().map(([, last]) => last)).toEqual(Array.from({ length: 100 }, (_, i) => (i < 50 ? i : 100 + i)));
  });

  test("linking a key that is there, or without a seek, stops", () => {
    const subject = new ListUnderTest(1);
    const key = new SearchKey();
    key.load(new Uint8Array([1]));
    subject.insert(new Uint8Array([1]));
    expect(() => subject.list.link(subject.nodes.create(key, 1))).toThrow("A node is linked where a seek just found its key missing");
    subject.seek(new Uint8Array([1]));
    expect(() => subject.list.link(subject.nodes.create(key, 1))).toThrow("A node is linked where a seek just found its key missing");
    expect(() => subject.append(new Uint8Array([0]))).toThrow(/appended/);
  });

  test("marking or unlinking a node stops where the path does not lead, or its state does not fit", () => {
    const subject = new ListUnderTest(1);
    for (let i = 1; i < 5; i++) subject.insert(new Uint8Array([i]));
    const [one, two] = [subject.seek(new Uint8Array([1])), subject.seek(new Uint8Array([2]))];
    expect(() => subject.list.mark(one, "deleted")).toThrow("A node is marked where a seek just found it");
    expect(() => subject.list.mark(two, "alive")).toThrow("A node is marked when it changes");
    expect(() => subject.list.unlink(two)).toThrow("A node is unlinked when it is deleted");
    subject.list.mark(two, "deleted");
    expect(() => subject.list.unlink(two)).toThrow("A node is unlinked where a seek just found it");
    const key = new SearchKey();
    key.load(new Uint8Array([3, 3]));
    expect(() => subject.list.link(subject.nodes.create(key, 1))).toThrow("A node is linked where a seek just found its key missing");
    subject.list.verify();
  });

  test("the highest tower grows with the logarithm of the count", () => {
    const subject = new ListUnderTest(5);
    for (let i = 0; i < 4096; i++) subject.insert(new Uint8Array([i >> 4, (i * 37) & 255, i & 255]));
    subject.list.verify();
    let highest = 0;
    for (let node = subject.list.first(); node !== 0; node = subject.list.next(node)) {
      highest = Math.max(highest, subject.nodes.height(node));
    }
    expect(highest).toBeGreaterThan(8);
    expect(highest).toBeLessThan(towerHeightMax);
  });
});

describe("TowerHeights", () => {
  test("half of the towers of each height are higher, and the same seed gives the same heights", () => {
    const counts = Array.from({ length: towerHeightMax + 1 }, () => 0);
    const heights = new TowerHeights(42);
    const again = new TowerHeights(42);
    for (let i = 0; i < 65_536; i++) {
      const height = heights.next();
      expect(again.next()).toBe(height);
      counts[height] = (counts[height] ?? 0) + 1;
    }
    for (let height = 1; height <= 6; height++) {
      const expected = 65_536 / 2 ** height;
      expect(Math.abs((counts[height] ?? 0) - expected)).toBeLessThan(expected * 0.15);
    }
  });
});
