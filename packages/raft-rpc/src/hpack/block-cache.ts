import type { HeaderList } from "./header-list.ts";

const slotCount = 64;
const blockBytesMax = 512;
/** Of the decoded fields: a short block can refer to long entries. */
const listBytesMax = 2048;

interface Slot<T> {
  readonly block: Uint8Array;
  readonly tableVersion: number;
  readonly meaning: T;
}

/**
 * Remembers what whole header blocks mean, so that a repeated block is neither decoded nor validated nor routed again. Correct because
 * equal octets under an equal version of the dynamic table decode equally, and because a block that changes the table is not kept.
 * Direct-mapped: a new block takes the slot of an older one.
 */
export class HeaderBlockCache<T> {
  readonly #slots: (Slot<T> | null)[] = new Array<Slot<T> | null>(slotCount).fill(null);
  /** What was asked for last is often asked for again: it needs no hash. */
  #last: Slot<T> | null = null;

  /** The meaning of `bytes` from `start` to `end`, or null. */
  get(bytes: Uint8Array, start: number, end: number, tableVersion: number): T | null {
    const last = this.#last;
    if (last !== null && isSame(last, bytes, start, end, tableVersion)) return last.meaning;
    const slot = this.#slots[hash(bytes, start, end) & (slotCount - 1)] as Slot<T> | null;
    if (slot === null || !isSame(slot, bytes, start, end, tableVersion)) return null;
    this.#last = slot;
    return slot.meaning;
  }

  /** The block did not change the table, whose version is `tableVersion`. What takes much memory is not kept. */
  put(bytes: Uint8Array, start: number, end: number, tableVersion: number, list: HeaderList, meaning: T): void {
    if (end - start > blockBytesMax || list.listBytes > listBytesMax) return;
    this.#slots[hash(bytes, start, end) & (slotCount - 1)] = { block: bytes.slice(start, end), tableVersion, meaning };
  }
}

function isSame({ block, tableVersion }: Slot<unknown>, bytes: Uint8Array, start: number, end: number, version: number): boolean {
  if (tableVersion !== version || block.length !== end - start) return false;
  for (let place = 0; place < block.length; place++) if (block[place] !== bytes[start + place]) return false;
  return true;
}

/** FNV-1a over words of four octets; the high bits are folded into the low ones, which choose the slot. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let state = 0x811c9dc5;
  let place = start;
  for (; place + 3 < end; place += 4) {
    const word =
      (bytes[place] as number) |
      ((bytes[place + 1] as number) << 8) |
      ((bytes[place + 2] as number) << 16) |
      ((bytes[place + 3] as number) << 24);
    state = Math.imul(state ^ word, 0x01000193);
    state ^= state >>> 15;
  }
  for (; place < end; place++) state = Math.imul(state ^ (bytes[place] as number), 0x01000193);
  return state ^ (state >>> 16) ^ (state >>> 8);
}
