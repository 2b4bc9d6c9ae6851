import { assert } from "./assertion.ts";
import { pageShift } from "./cell-arena.ts";
import { linkStart, linkWords, type NodeArena, type NodeRef, wordOffset } from "./node-arena.ts";
import { allBits, bitsAt, SearchKey, wordCount } from "./search-key.ts";
import { towerHeightMax } from "./tower-heights.ts";

/**
 * An ordered list of nodes (Pugh 1990). Several lists may share one arena; a node is in at most one of them.
 *
 *     level 2  head ───────────────────────────► d ─────────────► end
 *     level 1  head ───────────► b ────────────► d ─────────────► end
 *     level 0  head ────► a ───► b ────► c ────► d ────► e ─────► end
 */
export class SkipList {
  readonly #nodes: NodeArena;
  readonly #head: NodeRef;
  /** The last node before the sought key, on each level. */
  readonly #path = new Int32Array(towerHeightMax);
  /** Bits that the sought key shares with that node, and with the one that follows it on the level. */
  readonly #sharedBefore = new Int32Array(towerHeightMax);
  readonly #sharedAfter = new Int32Array(towerHeightMax);
  #pathHolds = false;
  #levels = 1;
  #count = 0;
  #exact = false;

  constructor(nodes: NodeArena) {
    this.#nodes = nodes;
    this.#head = nodes.create(new SearchKey(), towerHeightMax);
    this.#path.fill(this.#head);
  }

  get count(): number {
    return this.#count;
  }

  /** True if the last `seek` found the key itself. */
  get exact(): boolean {
    return this.#exact;
  }

  first(): NodeRef {
    return this.#nodes.next(this.#head, 0);
  }

  next(node: NodeRef): NodeRef {
    return this.#nodes.next(node, 0);
  }

  /**
   * The first node whose key is not less than `key`, or 0. Remembers the way for `link` and `unlink`.
   *
   * Memory is slower than arithmetic, so most nodes are judged by the link that leads to them (after Grossi and Italiano,
   * "Efficient techniques for maintaining multidimensional keys in linked data structures", 1999). With `shared` the bits that
   * the node reached and the key begin with in common, and `link` those of the node and the next one:
   *
   *     link < shared   the next node leaves the common way first, so it is greater than the key
   *     link > shared   the key leaves it first, so the next node is less, and shares as many bits with the key
   *     link = shared   the 32 bits behind decide, which the link has too; only if they are equal the next key is read
   */
  seek(key: SearchKey): NodeRef {
    const nodes = this.#nodes;
    const pages = nodes.towers.words;
    const sought = key.words;
    const soughtCount = wordCount(key.length);
    let node = this.#head;
    let page = pages[node >>> pageShift] as Int32Array;
    let tower = wordOffset(node) + linkStart;
    let shared = 0;
    let ahead = bitsAt(sought, 0, soughtCount, 0);
    let bound = 0;
    let sharedWithBound = 0;
    let exact = false;
    for (let level = this.#levels - 1; level >= 0; level--) {
      let at = tower + linkWords * level;
      let next = page[at] as number;
      while (next !== bound) {
        const link = page[at + 1] as number;
        if (link < shared) {
          bound = next;
          sharedWithBound = link;
          break;
        }
        if (link === shared) {
          const nextAhead = page[at + 2] as number;
          const difference = nextAhead ^ ahead;
          let isLess = nextAhead >>> 0 < ahead >>> 0;
          let bits = shared + Math.clz32(difference);
          if (difference === 0) {
            bits = nodes.sharedBitsWith(next, key, shared >>> 5);
            isLess = bits === allBits ? nodes.keyLength(next) < key.length : bitsAt(sought, 0, soughtCount, bits) < 0;
          }
          if (!isLess) {
            bound = next;
            sharedWithBound = bits;
            exact = bits === allBits && nodes.keyLength(next) === key.length;
            break;
          }
          shared = bits;
          ahead = bitsAt(sought, 0, soughtCount, bits);
        }
        node = next;
        page = pages[node >>> pageShift] as Int32Array;
        tower = wordOffset(node) + linkStart;
        at = tower + linkWords * level;
        next = page[at] as number;
      }
      this.#path[level] = node;
      this.#sharedBefore[level] = shared;
      this.#sharedAfter[level] = sharedWithBound;
    }
    this.#exact = exact;
    this.#pathHolds = true;
    return bound;
  }

  /** Puts `node` where the last `seek`, for its key, did not find it. */
  link(node: NodeRef): void {
    assert(this.#pathHolds && !this.#exact, "A node is linked where a seek just found its key missing");
    this.#splice(node);
    this.#pathHolds = false;
  }

  /** Puts `node` at the end. Only for lists that are built in key order, without any seek before. */
  append(node: NodeRef): void {
    assert(this.#nodes.next(this.#path[0] as number, 0) === 0, "A node is appended behind the last one");
    const last = this.#path[0] as number;
    assert(last === this.#head || this.#nodes.compareKeys(last, node) < 0, "Nodes are appended in key order");
    const height = this.#nodes.height(node);
    for (let level = 0; level < height; level++) {
      const previous = this.#path[level] as number;
      this.#sharedBefore[level] = previous === this.#head ? 0 : this.#nodes.sharedBits(previous, node);
    }
    this.#splice(node);
    this.#path.fill(node, 0, height);
  }

  /** Takes out the node that the last `seek` returned, or that followed the one taken out just before. The caller frees it. */
  unlink(node: NodeRef): void {
    assert(this.#pathHolds && this.#nodes.next(this.#path[0] as number, 0) === node, "A node is unlinked where a seek just found it");
    const nodes = this.#nodes;
    const height = nodes.height(node);
    for (let level = 0; level < height; level++) {
      const previous = this.#path[level] as number;
      const shared = Math.min(nodes.sharedWithNext(previous, level), nodes.sharedWithNext(node, level));
      nodes.setLink(previous, level, nodes.next(node, level), shared);
    }
    this.#count--;
  }

  /** Takes out the first node, which must exist. The caller frees it. */
  shift(): NodeRef {
    const node = this.first();
    assert(node !== 0, "A list is not shifted when it is empty");
    const height = this.#nodes.height(node);
    for (let level = 0; level < height; level++) this.#nodes.setLink(this.#head, level, this.#nodes.next(node, level), 0);
    this.#count--;
    this.#pathHolds = false;
    return node;
  }

  /** Frees the head. The list must be empty and is not used any more. */
  dispose(): void {
    assert(this.#count === 0, "A list is disposed of when it is empty");
    this.#nodes.free(this.#head);
  }

  /** Walks every level. @throws Error if keys are out of order, a tower is not linked on each of its levels, or the count is off. */
  verify(): void {
    const nodes = this.#nodes;
    for (let level = towerHeightMax - 1; level >= 0; level--) {
      let above = nodes.next(this.#head, Math.min(level + 1, towerHeightMax - 1));
      let previous = 0;
      let count = 0;
      for (let node = nodes.next(this.#head, level); node !== 0; node = nodes.next(node, level)) {
        count++;
        assert(nodes.height(node) > level, "A node is linked only on the levels of its tower");
        assert(previous === 0 || nodes.compareKeys(previous, node) < 0, "Keys ascend on every level");
        this.#verifyLink(previous, node, level);
        if (level + 1 < towerHeightMax && nodes.height(node) > level + 1) {
          assert(above === node, "A tower is linked on each of its levels");
          above = nodes.next(above, level + 1);
        }
        previous = node;
      }
      assert(level + 1 === towerHeightMax || above === 0, "A node of a level is on the level below");
      assert(level > 0 || count === this.#count, "The nodes of level 0 are counted");
      assert(level < this.#levels || count === 0, "Levels above the search start are empty");
    }
  }

  #verifyLink(previous: NodeRef, node: NodeRef, level: number): void {
    if (previous === 0) {
      assert(this.#nodes.sharedWithNext(this.#head, level) === 0, "The head shares no bits with any key");
      return;
    }
    const shared = this.#nodes.sharedBits(previous, node);
    assert(this.#nodes.sharedWithNext(previous, level) === shared, "A link knows the bits that its two keys share");
    assert(this.#nodes.aheadOf(previous, level) === this.#nodes.bitsAt(node, shared), "A link knows the bits ahead");
  }

  #splice(node: NodeRef): void {
    const nodes = this.#nodes;
    const height = nodes.height(node);
    if (height > this.#levels) {
      this.#path.fill(this.#head, this.#levels, height);
      this.#sharedBefore.fill(0, this.#levels, height);
      this.#sharedAfter.fill(0, this.#levels, height);
      this.#levels = height;
    }
    for (let level = 0; level < height; level++) {
      const previous = this.#path[level] as number;
      nodes.setLink(node, level, nodes.next(previous, level), this.#sharedAfter[level] as number);
      nodes.setLink(previous, level, node, this.#sharedBefore[level] as number);
    }
    this.#count++;
  }
}
