import type { EventLog } from "./event-log.ts";
import type { HashIndex } from "./hash-index.ts";
import type { KeyHash } from "./key-hash.ts";
import { SearchKey } from "./search-key.ts";
import type { VersionStore } from "./version-store.ts";

/** About as many lines of memory as a processor waits for at once. */
const prefetchGroupMax = 16;
/** To hash a longer key takes longer than memory does. */
const keyBytesMax = 256;

export interface WritePrefetchParts {
  readonly keyHash: KeyHash;
  readonly index: HashIndex;
  readonly versions: VersionStore;
  readonly events: EventLog;
}

/**
 * Reads what writes to a group of keys will touch, so that it is in the processor's cache by then ("group prefetching": Chen, Ailamaki, Gibbons
 * and Mowry, "Improving hash join performance through prefetching", ICDE 2004). In a store of many keys a write waits for memory four
 * times, each time for an address that it has just read:
 *
 *     hash ──► slot of the index ──► record of the key ──► event of its newest version
 *                                          └─────────────► cell of the version before
 *
 * Here each step is taken for all keys before the next, and the processor waits for all of them at the same time. Nothing is changed,
 * and nothing depends on what is found.
 */
export class WritePrefetch {
  readonly #parts: WritePrefetchParts;
  readonly #key = new SearchKey();
  readonly #hashes = new Int32Array(prefetchGroupMax);
  readonly #nodes = new Int32Array(prefetchGroupMax);
  readonly #cells = new Int32Array(prefetchGroupMax);
  #count = 0;
  /** Made of what was read: a compiler leaves out what is of no use to anybody. Means nothing. */
  witness = 0;

  constructor(parts: WritePrefetchParts) {
    this.#parts = parts;
  }

  /** Adds a key: `length` bytes of `source` from `start` on. A group that is full is read at once. */
  add(source: Uint8Array, start: number, length: number): void {
    if (length > keyBytesMax) return;
    if (this.#count === prefetchGroupMax) this.run();
    this.#key.loadPart(source, start, length);
    this.#hashes[this.#count++] = this.#parts.keyHash.of(this.#key.words, 0, length);
  }

  /** Reads for the keys that were added. */
  run(): void {
    const { index, versions, events } = this.#parts;
    const count = this.#count;
    this.#count = 0;
    let sum = 0;
    for (let i = 0; i < count; i++) this.#nodes[i] = index.peek(this.#hashes[i] as number);
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[i] as number;
      this.#cells[i] = node === 0 ? 0 : versions.nodes.older(node);
      if (node !== 0) sum ^= versions.nodes.keyLength(node) ^ versions.nodes.version(node);
    }
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[i] as number;
      const cell = this.#cells[i] as number;
      if (node !== 0) sum ^= events.at(versions.nodes.event(node));
      if (cell !== 0) sum ^= versions.history.newer(cell);
    }
    this.witness = sum;
  }
}
