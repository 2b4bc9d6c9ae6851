import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HashIndex } from "./hash-index.ts";
import { NodeArena, type NodeRef } from "./node-arena.ts";
import { SearchKey } from "./search-key.ts";

/** An index beside a map that says what it must hold. Keys are numbers, and the test chooses their hashes. */
class IndexUnderTest {
  readonly index: HashIndex;
  readonly held = new Map<number, NodeRef>();
  readonly #nodes = new NodeArena();
  readonly #key = new SearchKey();
  readonly #hashOf: (key: number) => number;

  constructor(hashOf: (key: number) => number) {
    this.#hashOf = hashOf;
    this.index = new HashIndex(this.#nodes);
  }

  find(key: number): NodeRef {
    this.#load(key);
    return this.index.find(this.#hashOf(key), this.#key);
  }

  add(key: number): void {
    if (this.held.has(key)) return;
    this.#load(key);
    const node = this.#nodes.create(this.#key, 1);
    this.held.set(key, node);
    this.index.add(this.#hashOf(key), node);
  }

  remove(key: number): void {
    const node = this.held.get(key);
    if (node === undefined) return;
    this.index.remove(this.#hashOf(key), node);
    this.#nodes.free(node);
    this.held.delete(key);
  }

  /** Verifies the index and looks up all keys below `keysEnd`. Returns those that are found as what they are not. */
  mistakes(keysEnd: number): number[] {
    this.index.verify();
    const mistakes: number[] = this.index.count === this.held.size ? [] : [-1];
    for (let key = 0; key < keysEnd; key++) {
      if (this.find(key) !== (this.held.get(key) ?? 0)) mistakes.push(key);
    }
    return mistakes;
  }

  /** Tables have powers of two, and are doubled or halved, so two of them have 3 or 3/2 such powers. */
  get isMoving(): boolean {
    return !Number.isInteger(Math.log2(this.index.reservedBytes));
  }

  #load(key: number): void {
    this.#key.load(Uint8Array.of(key, key >> 8, key >> 16));
  }
}

/** As a hash should be, if not for chosen keys. */
function scattered(key: number): number {
  const mixed = Math.imul(key ^ 0x5bd1e995, 0x9e3779b1);
  return Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
}

const homesInFewSlots = fc.constantFrom(0, 1, 2, 13, 14, 15, 16, 31, 32, -1, -2, -16, 0x7fffffff);

describe("HashIndex", () => {
  test("does what a map does, whatever hashes collide, through growth and shrinking", () => {
    const keyCount = 90;
    const step = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.nat(keyCount - 1));
    const hashes = fc.array(fc.oneof(homesInFewSlots, fc.integer()), { minLength: keyCount, maxLength: keyCount });
    fc.assert(
      fc.property(hashes, fc.array(step, { maxLength: 300, size: "max" }), (hashOf, steps) => {
        const subject = new IndexUnderTest((key) => hashOf[key] ?? 0);
        for (const [kind, key] of steps) {
          if (kind === 0) subject.remove(key);
          else subject.add(key);
          expect(subject.mistakes(keyCount)).toEqual([]);
        }
        for (let key = 0; key < keyCount; key++) {
          subject.remove(key);
          expect(subject.mistakes(keyCount)).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("finds every key while they move to a larger table, those added and removed meanwhile too", () => {
    let checksWhileMoving = 0;
    for (const hashOf of [scattered, (key: number): number => key, (key: number): number => -key * 4]) {
      const subject = new IndexUnderTest(hashOf);
      for (let key = 0; key < 1700; key++) {
        subject.add(key);
        if (key % 3 === 0) subject.remove(key / 3);
        if (!subject.isMoving) continue;
        checksWhileMoving++;
        expect(subject.mistakes(key + 2)).toEqual([]);
      }
    }
    expect(checksWhileMoving).toBeGreaterThan(100);
  });

  test("a key may have any home when it is added to a table that is being left", () => {
    for (let home = 0; home < 64; home++) {
      const subject = new IndexUnderTest((key) => (key === 200 ? home : scattered(key)));
      for (let key = 0; key < 49; key++) subject.add(key);
      expect(subject.isMoving).toBe(true);
      subject.add(200);
      for (let key = 100; key < 108; key++) subject.add(key);
      expect(subject.mistakes(210)).toEqual([]);
    }
  });

  test("finds every key while they move to a smaller table", () => {
    const subject = new IndexUnderTest(scattered);
    for (let key = 0; key < 1700; key++) subject.add(key);
    let checksWhileMoving = 0;
    for (let key = 1699; key >= 0; key--) {
      subject.remove(key);
      if (key % 5 === 0) subject.add(2000 + key);
      if (!subject.isMoving) continue;
      checksWhileMoving++;
      expect(subject.mistakes(2000 + 1700)).toEqual([]);
    }
    expect(checksWhileMoving).toBeGreaterThan(50);
  });

  test("a long run of equal hashes, wrapped around the end, stays whole when some of it is removed", () => {
    const subject = new IndexUnderTest(() => -1);
    for (let key = 0; key < 300; key++) subject.add(key);
    expect(subject.mistakes(310)).toEqual([]);
    for (let key = 0; key < 300; key += 7) {
      subject.remove(key);
      expect(subject.mistakes(310)).toEqual([]);
    }
    for (let key = 0; key < 300; key++) subject.add(key);
    expect(subject.mistakes(310)).toEqual([]);
  });

  test("an entry never moves up before its home", () => {
    const homes = [14, 14, 15, 15, 0, 2];
    for (const [removed] of homes.entries()) {
      const subject = new IndexUnderTest((key) => homes[key] ?? 8);
      for (const [key] of homes.entries()) subject.add(key);
      subject.remove(removed);
      expect(subject.mistakes(homes.length + 1)).toEqual([]);
    }
  });

  test("spreads a move over many writes and ends it before the next is due", () => {
    const subject = new IndexUnderTest(scattered);
    let writesOfMove = 0;
    const lengths: number[] = [];
    for (let key = 0; key < 13_400; key++) {
      subject.add(key);
      if (subject.isMoving) {
        writesOfMove++;
      } else if (writesOfMove > 0) {
        lengths.push(writesOfMove);
        writesOfMove = 0;
      }
    }
    // From 16 slots to 32, and so on to the move from 16,384 slots, which takes a sixteenth as many writes at most.
    expect(lengths).toHaveLength(11);
    expect(lengths.at(-1)).toBeGreaterThan(500);
    expect(lengths.at(-1)).toBeLessThanOrEqual(1024);
  });

  test("keeps a quarter of its slots empty, and gives memory back", () => {
    const subject = new IndexUnderTest(scattered);
    const emptyBytes = subject.index.reservedBytes;
    for (let key = 0; key < 5000; key++) {
      subject.add(key);
      expect(subject.index.usedBytes).toBe((key + 1) * 8);
      expect(subject.index.reservedBytes).toBeGreaterThanOrEqual((subject.index.usedBytes * 4) / 3);
      expect(subject.index.reservedBytes).toBeLessThanOrEqual(Math.max(emptyBytes, subject.index.usedBytes * 4));
    }
    for (let key = 0; key < 5000; key++) subject.remove(key);
    expect(subject.index.usedBytes).toBe(0);
    expect(subject.index.reservedBytes).toBe(emptyBytes);
  });

  test("a node that is not there can't be removed", () => {
    const subject = new IndexUnderTest(scattered);
    for (let key = 0; key < 10; key++) subject.add(key);
    expect(() => subject.index.remove(scattered(3), subject.find(4))).toThrow("A node that is removed is in the index");
    expect(() => subject.index.add(1, 0)).toThrow("Only nodes are added to the index");
  });
});
