/** A connection, as the sum over all of them sees it. */
export interface MemoryHolder {
  /** What it holds now: messages that are begun, that nobody took, and that the client does not read. */
  readonly heldBytes: number;
  /** What of it is in the sum; written by `HeldMemory` alone. */
  countedBytes: number;
  /** It holds the most, and all together hold too much. It ends, and holds nothing any more. */
  giveUp(): void;
}

/**
 * What the connections of a server hold together. Each is bounded by itself, but for what it may hold hundreds of them would be too many:
 * above the limit, those that hold the most end.
 */
export class HeldMemory {
  readonly #bytesMax: number;
  readonly #holders = new Set<MemoryHolder>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  enter(holder: MemoryHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: MemoryHolder): void {
    this.#holders.delete(holder);
    this.#bytes -= holder.countedBytes;
    holder.countedBytes = 0;
  }

  /** The holder may hold more or less than before. Called for each chunk that comes: costs a comparison. */
  update(holder: MemoryHolder): void {
    this.#count(holder);
    if (this.#bytes > this.#bytesMax) this.#relieve();
  }

  #count(holder: MemoryHolder): void {
    const { heldBytes, countedBytes } = holder;
    if (heldBytes === countedBytes) return;
    this.#bytes += heldBytes - countedBytes;
    holder.countedBytes = heldBytes;
  }

  #relieve(): void {
    // What was taken since it was counted is no longer held.
    for (const holder of this.#holders) this.#count(holder);
    const largestFirst = [...this.#holders].sort((a, b) => b.countedBytes - a.countedBytes);
    for (const holder of largestFirst) {
      if (this.#bytes <= this.#bytesMax) return;
      this.leave(holder);
      holder.giveUp();
    }
  }
}
