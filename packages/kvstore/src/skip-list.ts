import { assert } from "./assertion.ts";
import { pageShift } from "./cell-arena.ts";
import { linkStart, linkWords, type NodeArena, type NodeRef, type TowerRef, wordOffset } from "./node-arena.ts";
import { allBits, bitsAt, SearchKey, wordCount } from "./search-key.ts";
import { towerHeightMax } from "./tower-heights.ts";

/**
 * An ordered list of nodes (Pugh 1990), each of which is alive or not: its key is there, or was deleted.
 *
 *     level 2  head ───────────────2──────────► d ────────────► end
 *     level 1  head ───────1──────► b ────1───► d ────────────► end
 *     level 0  head ──0──► a ──1──► b ──0─► c ──1─► d ──1─► e ─1─► end        b is not alive
 *
 * A link knows how many living nodes it passes, the one that it leads away from included (Pugh, "A Skip List Cookbook", 1990, section
 * 3.4), so a search knows how many are in front of what it finds.
 */
export class SkipList {
  readonly #nodes: NodeArena;
  readonly #head: TowerRef;
  /** The tower of the last node before the sought key, on each level. */
  readonly #path = new Int32Array(towerHeightMax);
  /** Bits that the sought key shares with that node, and with the one that follows it on the level. */
  readonly #sharedBefore = new Int32Array(towerHeightMax);
  readonly #sharedAfter = new Int32Array(towerHeightMax);
  /** How many living nodes are in front of the node of the path. */
  readonly #rankBefore = new Int32Array(towerHeightMax);
  /** Whether the path leads to what was sought last, or on from there, or nowhere since nodes were linked. */
  #pathState: "sought" | "moved on" | "lost" = "lost";
  #levels = 1;
  #count = 0;
  #liveCount = 0;
  #exact = false;

  constructor(nodes: NodeArena) {
    this.#nodes = nodes;
    this.#head = nodes.tower(nodes.create(new SearchKey(), towerHeightMax));
    this.#path.fill(this.#head);
  }

  get count(): number {
    return this.#count;
  }

  /** Nodes that are alive. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** How many living nodes are in front of what was sought just before. */
  get rank(): number {
    assert(this.#pathState === "sought", "A rank is that of what was just sought");
    return this.#pathRank();
  }

  /** True if the last `seek` found the key itself. */
  get exact(): boolean {
    return this.#exact;
  }

  first(): NodeRef {
    return this.#after(this.#head);
  }

  next(node: NodeRef): NodeRef {
    return this.#after(this.#nodes.tower(node));
  }

  isAlive(node: NodeRef): boolean {
    return this.#nodes.width(this.#nodes.tower(node), 0) !== 0;
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
    let tower = this.#head;
    let page = pages[tower >>> pageShift] as Int32Array;
    let links = wordOffset(tower) + linkStart;
    let shared = 0;
    let ahead = bitsAt(sought, 0, soughtCount, 0);
    let bound = 0;
    let sharedWithBound = 0;
    let rank = 0;
    let exact = false;
    for (let level = this.#levels - 1; level >= 0; level--) {
      let at = links + linkWords * level;
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
            const node = nodes.nodeOf(next);
            bits = nodes.sharedBitsWith(node, key, shared >>> 5);
            isLess = bits === allBits ? nodes.keyLength(node) < key.length : bitsAt(sought, 0, soughtCount, bits) < 0;
          }
          if (!isLess) {
            bound = next;
            sharedWithBound = bits;
            exact = bits === allBits && nodes.keyLength(nodes.nodeOf(next)) === key.length;
            break;
          }
          shared = bits;
          ahead = bitsAt(sought, 0, soughtCount, bits);
        }
        rank += page[at + 3] as number;
        tower = next;
        page = pages[tower >>> pageShift] as Int32Array;
        links = wordOffset(tower) + linkStart;
        at = links + linkWords * level;
        next = page[at] as number;
      }
      this.#path[level] = tower;
      this.#sharedBefore[level] = shared;
      this.#sharedAfter[level] = sharedWithBound;
      this.#rankBefore[level] = rank;
    }
    this.#exact = exact;
    this.#pathState = "sought";
    return nodes.nodeOf(bound);
  }

  /** Puts `node`, which is alive, where the last `seek`, for its key, did not find it. */
  link(node: NodeRef): void {
    assert(this.#pathState === "sought" && !this.#exact, "A node is linked where a seek just found its key missing");
    this.#splice(node, 1);
    this.#pathState = "lost";
  }

  /** True if `key` is greater than those of all nodes. Only for lists that are built with `append`. */
  endsBefore(key: SearchKey): boolean {
    const last = this.#path[0] as number;
    return last === this.#head || this.#nodes.compareKey(this.#nodes.nodeOf(last), key) < 0;
  }

  /** Puts `node` at the end. Only for lists that are built in key order, without any seek before. */
  append(node: NodeRef, state: "alive" | "deleted"): void {
    const last = this.#path[0] as number;
    assert(this.#nodes.next(last, 0) === 0, "A node is appended behind the last one");
    assert(last === this.#head || this.#nodes.compareKeys(this.#nodes.nodeOf(last), node) < 0, "Nodes are appended in key order");
    const height = this.#nodes.height(node);
    for (let level = 0; level < height; level++) {
      const previous = this.#path[level] as number;
      this.#sharedBefore[level] = previous === this.#head ? 0 : this.#nodes.sharedBits(this.#nodes.nodeOf(previous), node);
    }
    const rank = this.#pathRank();
    this.#splice(node, state === "alive" ? 1 : 0);
    this.#path.fill(this.#nodes.tower(node), 0, height);
    this.#rankBefore.fill(rank, 0, height);
  }

  /** True if `node` is what the path leads to, so that it can be marked or taken out without another seek. */
  leadsTo(node: NodeRef): boolean {
    return this.#pathState !== "lost" && this.#after(this.#path[0] as number) === node;
  }

  /** Lets the node that the path leads to live or not, and moves the path on to the one behind it. */
  mark(node: NodeRef, state: "alive" | "deleted"): void {
    assert(this.leadsTo(node), "A node is marked where a seek just found it");
    const nodes = this.#nodes;
    const isAlive = state === "alive";
    assert(this.isAlive(node) !== isAlive, "A node is marked when it changes");
    const difference = isAlive ? 1 : -1;
    const height = nodes.height(node);
    const tower = nodes.tower(node);
    for (let level = height; level < this.#levels; level++) nodes.addWidth(this.#path[level] as number, level, difference);
    for (let level = 0; level < height; level++) nodes.addWidth(tower, level, difference);
    this.#liveCount += difference;
    this.#path.fill(tower, 0, height);
    this.#pathState = "moved on";
  }

  /** Takes out the node that the path leads to, which is not alive. The caller frees it. */
  unlink(node: NodeRef): void {
    assert(this.leadsTo(node), "A node is unlinked where a seek just found it");
    assert(!this.isAlive(node), "A node is unlinked when it is deleted");
    const nodes = this.#nodes;
    const height = nodes.height(node);
    const tower = nodes.tower(node);
    for (let level = 0; level < height; level++) {
      const previous = this.#path[level] as number;
      const shared = Math.min(nodes.sharedWithNext(previous, level), nodes.sharedWithNext(tower, level));
      nodes.setLink(previous, level, nodes.next(tower, level), shared);
      nodes.addWidth(previous, level, nodes.width(tower, level));
    }
    this.#count--;
  }

  /** Walks every level. @throws Error if keys are out of order, a tower is not linked on each of its levels, or a count is off. */
  verify(): void {
    const nodes = this.#nodes;
    for (let level = towerHeightMax - 1; level >= 0; level--) {
      let above = nodes.next(this.#head, Math.min(level + 1, towerHeightMax - 1));
      let previous = 0;
      let count = 0;
      this.#verifyWidths(level);
      for (let tower = nodes.next(this.#head, level); tower !== 0; tower = nodes.next(tower, level)) {
        const node = nodes.nodeOf(tower);
        count++;
        assert(nodes.tower(node) === tower, "A tower has its node");
        assert(nodes.height(node) > level, "A node is linked only on the levels of its tower");
        assert(previous === 0 || nodes.compareKeys(previous, node) < 0, "Keys ascend on every level");
        this.#verifyLink(previous, node, level);
        if (level + 1 < towerHeightMax && nodes.height(node) > level + 1) {
          assert(above === tower, "A tower is linked on each of its levels");
          above = nodes.next(above, level + 1);
        }
        previous = node;
      }
      assert(level + 1 === towerHeightMax || above === 0, "A node of a level is on the level below");
      assert(level > 0 || count === this.#count, "The nodes of level 0 are counted");
      assert(level < this.#levels || count === 0, "Levels above the search start are empty");
    }
  }

  /** Compares each link of the level with those of level 0 that it goes past. */
  #verifyWidths(level: number): void {
    const nodes = this.#nodes;
    let passed = 0;
    let from = this.#head;
    for (let tower = this.#head; tower !== 0; tower = nodes.next(tower, 0)) {
      if (tower === nodes.next(from, level)) {
        assert(nodes.width(from, level) === passed, "A link knows how many living nodes it passes");
        from = tower;
        passed = 0;
      }
      passed += nodes.width(tower, 0);
    }
    assert(level > 0 || nodes.width(this.#head, 0) === 0, "The head is not alive");
  }

  #verifyLink(previous: NodeRef, node: NodeRef, level: number): void {
    if (previous === 0) {
      assert(this.#nodes.sharedWithNext(this.#head, level) === 0, "The head shares no bits with any key");
      return;
    }
    const shared = this.#nodes.sharedBits(previous, node);
    const tower = this.#nodes.tower(previous);
    assert(this.#nodes.sharedWithNext(tower, level) === shared, "A link knows the bits that its two keys share");
    assert(this.#nodes.aheadOf(tower, level) === this.#nodes.bitsAt(node, shared), "A link knows the bits ahead");
  }

  #after(tower: TowerRef): NodeRef {
    return this.#nodes.nodeOf(this.#nodes.next(tower, 0));
  }

  /** How many living nodes are in front of what the path leads to. */
  #pathRank(): number {
    return (this.#rankBefore[0] as number) + this.#nodes.width(this.#path[0] as number, 0);
  }

  #splice(node: NodeRef, life: 0 | 1): void {
    const nodes = this.#nodes;
    const rank = this.#pathRank();
    const height = nodes.height(node);
    const tower = nodes.tower(node);
    if (height > this.#levels) {
      this.#path.fill(this.#head, this.#levels, height);
      this.#sharedBefore.fill(0, this.#levels, height);
      this.#sharedAfter.fill(0, this.#levels, height);
      this.#rankBefore.fill(0, this.#levels, height);
      this.#levels = height;
    }
    for (let level = 0; level < height; level++) {
      const previous = this.#path[level] as number;
      const passed = rank - (this.#rankBefore[level] as number);
      nodes.setWidth(tower, level, nodes.width(previous, level) - passed + life);
      nodes.setWidth(previous, level, passed);
      nodes.setLink(tower, level, nodes.next(previous, level), this.#sharedAfter[level] as number);
      nodes.setLink(previous, level, tower, this.#sharedBefore[level] as number);
    }
    if (life === 1) for (let level = height; level < this.#levels; level++) nodes.addWidth(this.#path[level] as number, level, 1);
    this.#count++;
    this.#liveCount += life;
  }
}
