/** RFC 7541 4.1: an entry costs its octets and 32. */
export const entryOverheadBytes = 32;

/** The size that this side advertises (HEADER_TABLE_SIZE keeps its initial value). */
export const tableBytesMax = 4096;

const ringLength = tableBytesMax / entryOverheadBytes;
const ringMask = ringLength - 1;

/**
 * The decoder's dynamic table (RFC 7541 2.3.2) as a ring; the newest entry has position 0.
 *
 *   ring   [ .... oldest ......... newest .... ]
 *                 ^ newest - count + 1  ^ newest
 */
export class DynamicTable {
  readonly #names: string[] = new Array<string>(ringLength).fill("");
  readonly #values: string[] = new Array<string>(ringLength).fill("");
  #newest = ringLength - 1;
  #bytes = 0;
  #bytesMax = tableBytesMax;
  count = 0;
  /** Grows with every change: what was decoded under one version decodes the same under it. */
  version = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** `position` is below `count`. */
  name(position: number): string {
    return this.#names[(this.#newest - position) & ringMask] as string;
  }

  value(position: number): string {
    return this.#values[(this.#newest - position) & ringMask] as string;
  }

  /** Evicts from the oldest until the entry fits; one that is larger than the table empties it (RFC 7541 4.4). */
  insert(name: string, value: string): void {
    this.version++;
    const size = name.length + value.length + entryOverheadBytes;
    this.#evictTo(this.#bytesMax - size);
    if (size > this.#bytesMax) return;
    this.#newest = (this.#newest + 1) & ringMask;
    this.#names[this.#newest] = name;
    this.#values[this.#newest] = value;
    this.#bytes += size;
    this.count++;
  }

  /** `bytesMax` is at most `tableBytesMax`, which the caller has checked. */
  resize(bytesMax: number): void {
    this.version++;
    this.#bytesMax = bytesMax;
    this.#evictTo(bytesMax);
  }

  #evictTo(bytesMax: number): void {
    while (this.count > 0 && this.#bytes > bytesMax) {
      this.count--;
      const oldest = (this.#newest - this.count) & ringMask;
      this.#bytes -= (this.#names[oldest] as string).length + (this.#values[oldest] as string).length + entryOverheadBytes;
      this.#names[oldest] = "";
      this.#values[oldest] = "";
    }
  }
}
