/** A moment at which something is due, in milliseconds of the monotonic clock. Belongs to one heap at most. */
export class Deadline<Item> {
  readonly item: Item;
  /** Changed only by the heap that it is in. */
  atMs: number;
  /** What the heap has sorted it by: `atMs`, or an earlier moment that it was at. */
  sortedMs: number;
  /** In the heap's array; -1 while it is in none. */
  position = -1;

  constructor(item: Item, atMs: number) {
    this.item = item;
    this.atMs = atMs;
    this.sortedMs = atMs;
  }
}

/**
 * Deadlines by time: a binary heap in which one is moved back without work. A lease is kept alive many times before it expires once, so a
 * deadline that moves back stays where it is; the heap sorts it in anew when its old moment comes.
 */
export class DeadlineHeap<Item> {
  private readonly deadlines: Deadline<Item>[] = [];

  get size(): number {
    return this.deadlines.length;
  }

  add(deadline: Deadline<Item>): void {
    deadline.sortedMs = deadline.atMs;
    this.deadlines.push(deadline);
    this.rise(deadline, this.deadlines.length - 1);
  }

  /** For one that is in no heap, too. */
  move(deadline: Deadline<Item>, atMs: number): void {
    deadline.atMs = atMs;
    if (deadline.position < 0 || atMs >= deadline.sortedMs) return;
    deadline.sortedMs = atMs;
    this.rise(deadline, deadline.position);
  }

  /** Does nothing for one that is not in the heap. */
  remove(deadline: Deadline<Item>): void {
    const { position } = deadline;
    if (position < 0) return;
    deadline.position = -1;
    const last = this.deadlines.pop();
    if (last === undefined || last === deadline) return;
    this.rise(last, position);
    this.sink(last, last.position);
  }

  /** Takes out one that is due; null if none is. */
  takeDue(nowMs: number): Deadline<Item> | null {
    for (let first = this.deadlines[0]; first !== undefined && first.sortedMs <= nowMs; first = this.deadlines[0]) {
      if (first.atMs <= nowMs) {
        this.remove(first);
        return first;
      }
      first.sortedMs = first.atMs;
      this.sink(first, 0);
    }
    return null;
  }

  clear(): void {
    for (const deadline of this.deadlines) deadline.position = -1;
    this.deadlines.length = 0;
  }

  private rise(deadline: Deadline<Item>, from: number): void {
    let position = from;
    while (position > 0) {
      const above = (position - 1) >> 1;
      const parent = this.deadlines[above];
      if (parent === undefined || parent.sortedMs <= deadline.sortedMs) break;
      this.place(parent, position);
      position = above;
    }
    this.place(deadline, position);
  }

  private sink(deadline: Deadline<Item>, from: number): void {
    let position = from;
    for (;;) {
      const below = this.earlierChild(position);
      const child = this.deadlines[below];
      if (child === undefined || child.sortedMs >= deadline.sortedMs) break;
      this.place(child, position);
      position = below;
    }
    this.place(deadline, position);
  }

  private earlierChild(position: number): number {
    const left = 2 * position + 1;
    const [first, second] = [this.deadlines[left], this.deadlines[left + 1]];
    return first !== undefined && second !== undefined && second.sortedMs < first.sortedMs ? left + 1 : left;
  }

  private place(deadline: Deadline<Item>, position: number): void {
    this.deadlines[position] = deadline;
    deadline.position = position;
  }
}
