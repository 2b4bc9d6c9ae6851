/** So many places are left at the front before those behind them move up. */
const vacatedMax = 64;

/**
 * What waits, by numbers that were given one after the other, and that end in about that order: proposals, read requests.
 *
 *   items  [ gone | gone | 7: A | gone | 9: C | 10: D ]     number 10 is at 10 - firstNumber + head
 *                          ^ head, firstNumber = 7
 *
 * Not a `Map`: the old tables that one leaves behind point to the new ones, and once a collection of the whole heap has made one of them old,
 * collections of the young generation take all that was ever in the later ones for alive. A place costs eight bytes for as long as something
 * before it waits, so whatever waits needs a deadline.
 */
export class PendingWindow<T> {
  private readonly items: (T | undefined)[] = [];
  private head = 0;
  /** Of the item at `head`. Numbers have 32 bits, and begin again at 0. */
  private firstNumber = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** `number` follows that of the item that was added before. */
  add(number: number, item: T): void {
    if (this.head === this.items.length) this.firstNumber = number;
    this.items.push(item);
    this.count++;
  }

  get(number: number): T | undefined {
    const place = this.placeOf(number);
    return place < this.items.length ? this.items[place] : undefined;
  }

  delete(number: number): void {
    const place = this.placeOf(number);
    if (place >= this.items.length || this.items[place] === undefined) return;
    this.items[place] = undefined;
    this.count--;
    this.moveHead();
  }

  /** The one that was added before all others. */
  oldest(): T | undefined {
    return this.items[this.head];
  }

  clear(): void {
    this.items.length = 0;
    this.head = 0;
    this.count = 0;
  }

  /** As they are now, in the order in which they were added. */
  entries(): readonly (readonly [number: number, item: T])[] {
    const entries: [number, T][] = [];
    for (let place = this.head; place < this.items.length; place++) {
      const item = this.items[place];
      if (item !== undefined) entries.push([(this.firstNumber + place - this.head) >>> 0, item]);
    }
    return entries;
  }

  values(): readonly T[] {
    return this.entries().map(([, item]) => item);
  }

  private placeOf(number: number): number {
    return this.head + ((number - this.firstNumber) >>> 0);
  }

  private moveHead(): void {
    const { items } = this;
    while (this.head < items.length && items[this.head] === undefined) {
      this.head++;
      this.firstNumber = (this.firstNumber + 1) >>> 0;
    }
    if (this.head < vacatedMax || 2 * this.head < items.length) return;
    items.copyWithin(0, this.head);
    items.length -= this.head;
    this.head = 0;
  }
}
