import { assert } from "../assertion.ts";
import { orderOfBytes } from "../byte-order.ts";

/** One range and who is interested in it. */
interface RangeNode<Item> {
  readonly start: Uint8Array;
  /** Null: the range has no end. */
  readonly end: Uint8Array | null;
  readonly items: Set<Item>;
  left: RangeNode<Item> | null;
  right: RangeNode<Item> | null;
  height: number;
  /** The largest end in the subtree, null if one of its ranges has none. */
  largestEnd: Uint8Array | null;
}

type Subtree<Item> = RangeNode<Item> | null;

/**
 * Items by half-open ranges of keys: an interval tree (Cormen et al., "Introduction to Algorithms", 14.3) on an AVL tree, which
 * needs no chance to stay balanced. Equal ranges share a node.
 *
 *                 [d, k)  largest end: z
 *                /                      \
 *      [a, e)  e                   [f, h)  z
 *                                          \
 *                                      [m, z)  z
 *
 * A subtree whose largest end is not above a key has no range that holds the key, and is left out.
 */
export class RangeTree<Item> {
  #root: Subtree<Item> = null;

  get isEmpty(): boolean {
    return this.#root === null;
  }

  /** The bytes are kept, and are not to be changed. */
  add(start: Uint8Array, end: Uint8Array | null, item: Item): void {
    const node = this.#find(start, end);
    if (node !== null) node.items.add(item);
    else this.#root = insert(this.#root, leaf(start, end, item));
  }

  delete(start: Uint8Array, end: Uint8Array | null, item: Item): void {
    const node = this.#find(start, end);
    if (node === null) return;
    node.items.delete(item);
    if (node.items.size === 0) this.#root = remove(this.#root, node);
  }

  /** The items of exactly this range. */
  itemsOf(start: Uint8Array, end: Uint8Array | null): ReadonlySet<Item> | null {
    return this.#find(start, end)?.items ?? null;
  }

  /** Appends the items of all ranges that hold the key to `found`. */
  collect(key: Uint8Array, found: Item[]): void {
    collect(this.#root, key, found);
  }

  /** Checks order, balance and ends. @throws Error if something does not hold. */
  verify(): void {
    verify(this.#root);
  }

  #find(start: Uint8Array, end: Uint8Array | null): Subtree<Item> {
    let node = this.#root;
    while (node !== null) {
      const order = orderOfRanges(start, end, node);
      if (order === 0) return node;
      node = order < 0 ? node.left : node.right;
    }
    return null;
  }
}

function leaf<Item>(start: Uint8Array, end: Uint8Array | null, item: Item): RangeNode<Item> {
  return { start, end, items: new Set([item]), left: null, right: null, height: 1, largestEnd: end };
}

/** By start, then by end. */
function orderOfRanges<Item>(start: Uint8Array, end: Uint8Array | null, node: RangeNode<Item>): number {
  return orderOfBytes(start, node.start) || orderOfEnds(end, node.end);
}

/** No end is the largest. */
function orderOfEnds(a: Uint8Array | null, b: Uint8Array | null): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  return orderOfBytes(a, b);
}

function collect<Item>(node: Subtree<Item>, key: Uint8Array, found: Item[]): void {
  if (node === null || !isAbove(node.largestEnd, key)) return;
  collect(node.left, key, found);
  if (orderOfBytes(node.start, key) > 0) return;
  if (isAbove(node.end, key)) for (const item of node.items) found.push(item);
  collect(node.right, key, found);
}

function isAbove(end: Uint8Array | null, key: Uint8Array): boolean {
  return end === null || orderOfBytes(key, end) < 0;
}

function insert<Item>(node: Subtree<Item>, added: RangeNode<Item>): RangeNode<Item> {
  if (node === null) return added;
  if (orderOfRanges(added.start, added.end, node) < 0) node.left = insert(node.left, added);
  else node.right = insert(node.right, added);
  return balanced(node);
}

function remove<Item>(node: Subtree<Item>, target: RangeNode<Item>): Subtree<Item> {
  assert(node !== null, "A range that is removed is in the tree");
  if (node !== target) {
    if (orderOfRanges(target.start, target.end, node) < 0) node.left = remove(node.left, target);
    else node.right = remove(node.right, target);
    return balanced(node);
  }
  if (node.left === null) return node.right;
  if (node.right === null) return node.left;
  const successor = first(node.right);
  successor.right = withoutFirst(node.right);
  successor.left = node.left;
  return balanced(successor);
}

function first<Item>(node: RangeNode<Item>): RangeNode<Item> {
  let at = node;
  while (at.left !== null) at = at.left;
  return at;
}

function withoutFirst<Item>(node: RangeNode<Item>): Subtree<Item> {
  if (node.left === null) return node.right;
  node.left = withoutFirst(node.left);
  return balanced(node);
}

/** Restores height, largest end and, by rotations, that the heights of siblings differ by one at most. */
function balanced<Item>(node: RangeNode<Item>): RangeNode<Item> {
  const lean = heightOf(node.left) - heightOf(node.right);
  if (lean > 1 && node.left !== null) {
    if (heightOf(node.left.left) < heightOf(node.left.right)) node.left = rotatedLeft(node.left);
    return rotatedRight(node);
  }
  if (lean < -1 && node.right !== null) {
    if (heightOf(node.right.right) < heightOf(node.right.left)) node.right = rotatedRight(node.right);
    return rotatedLeft(node);
  }
  refresh(node);
  return node;
}

function rotatedLeft<Item>(node: RangeNode<Item>): RangeNode<Item> {
  const top = node.right;
  assert(top !== null, "A subtree that is rotated left has a right child");
  node.right = top.left;
  top.left = node;
  refresh(node);
  refresh(top);
  return top;
}

function rotatedRight<Item>(node: RangeNode<Item>): RangeNode<Item> {
  const top = node.left;
  assert(top !== null, "A subtree that is rotated right has a left child");
  node.left = top.right;
  top.right = node;
  refresh(node);
  refresh(top);
  return top;
}

function refresh<Item>(node: RangeNode<Item>): void {
  node.height = 1 + Math.max(heightOf(node.left), heightOf(node.right));
  node.largestEnd = largestEndOf(node);
}

function largestEndOf<Item>({ end, left, right }: RangeNode<Item>): Uint8Array | null {
  let largest = end;
  if (left !== null && orderOfEnds(left.largestEnd, largest) > 0) largest = left.largestEnd;
  if (right !== null && orderOfEnds(right.largestEnd, largest) > 0) largest = right.largestEnd;
  return largest;
}

function heightOf<Item>(node: Subtree<Item>): number {
  return node === null ? 0 : node.height;
}

function verify<Item>(node: Subtree<Item>): void {
  if (node === null) return;
  const { left, right } = node;
  verify(left);
  verify(right);
  assert(node.items.size > 0, "A range is kept only while somebody is interested in it");
  assert(left === null || orderOfRanges(left.start, left.end, node) < 0, "Ranges on the left come before");
  assert(right === null || orderOfRanges(right.start, right.end, node) > 0, "Ranges on the right come behind");
  assert(Math.abs(heightOf(left) - heightOf(right)) <= 1, "Siblings differ in height by one at most");
  assert(node.height === 1 + Math.max(heightOf(left), heightOf(right)), "A node knows its height");
  assert(orderOfEnds(node.largestEnd, largestEndOf(node)) === 0, "A node knows the largest end below it");
}
