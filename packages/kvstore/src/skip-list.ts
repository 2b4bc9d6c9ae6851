import { assert } from "./assertion.ts";
import { pageShift } from "./cell-arena.ts";
import { heightWord, keyLengthWord, type NodeArena, type NodeRef, towerWord, wordOffset } from "./node-arena.ts";
import { orderOfWords, SearchKey, wordCount } from "./search-key.ts";
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
   * All keys between the node reached so far and the last one found too great begin with the bytes both share with `key`, so a
   * comparison starts behind those.
   */
  seek(key: SearchKey): NodeRef {
    const pages = this.#nodes.cells.words;
    const path = this.#path;
    const sought = key.words;
    const soughtLength = key.length;
    const soughtWords = wordCount(soughtLength);
    let node = this.#head;
    let page = pages[node >>> pageShift] as Int32Array;
    let tower = wordOffset(node) + towerWord;
    let bound = 0;
    let sharedWithNode = 0;
    let sharedWithBound = 0;
    let exact = false;
    for (let level = this.#levels - 1; level >= 0; level--) {
      let next = page[tower + level] as number;
      while (next !== bound) {
        const nextPage = pages[next >>> pageShift] as Int32Array;
        const start = wordOffset(next);
        const length = nextPage[start + keyLengthWord] as number;
        const keyStart = start + towerWord + (nextPage[start + heightWord] as number);
        const words = Math.min(wordCount(length), soughtWords);
        let at = Math.min(sharedWithNode, sharedWithBound);
        while (at < words && nextPage[keyStart + at] === sought[at]) at++;
        const order = at < words ? orderOfWords(nextPage[keyStart + at] as number, sought[at] as number) : length - soughtLength;
        if (order >= 0) {
          bound = next;
          sharedWithBound = at;
          exact = order === 0;
          break;
        }
        node = next;
        page = nextPage;
        tower = start + towerWord;
        sharedWithNode = at;
        next = page[tower + level] as number;
      }
      path[level] = node;
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
    this.#splice(node);
    this.#path.fill(node, 0, this.#nodes.height(node));
  }

  /** Takes out the node that the last `seek` returned, or that followed the one taken out just before. The caller frees it. */
  unlink(node: NodeRef): void {
    assert(this.#pathHolds && this.#nodes.next(this.#path[0] as number, 0) === node, "A node is unlinked where a seek just found it");
    const height = this.#nodes.height(node);
    for (let level = 0; level < height; level++) {
      this.#nodes.setNext(this.#path[level] as number, level, this.#nodes.next(node, level));
    }
    this.#count--;
  }

  /** Takes out the first node, which must exist. The caller frees it. */
  shift(): NodeRef {
    const node = this.first();
    assert(node !== 0, "A list is not shifted when it is empty");
    const height = this.#nodes.height(node);
    for (let level = 0; level < height; level++) this.#nodes.setNext(this.#head, level, this.#nodes.next(node, level));
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

  #splice(node: NodeRef): void {
    const height = this.#nodes.height(node);
    if (height > this.#levels) {
      this.#path.fill(this.#head, this.#levels, height);
      this.#levels = height;
    }
    for (let level = 0; level < height; level++) {
      const previous = this.#path[level] as number;
      this.#nodes.setNext(node, level, this.#nodes.next(previous, level));
      this.#nodes.setNext(previous, level, node);
    }
    this.#count++;
  }
}
