/** Where an event happens: one life of a process. */
export interface EventOwner {
  readonly name: string;
  /** Nothing happens in it any more. */
  readonly isOver: boolean;
  /** Calls `action` now or when the process goes on. */
  enter(kind: string, action: () => void): void;
}

/** Something that will happen at a simulated instant. */
export interface SimulatedEvent {
  /** Microseconds since the start of the run. */
  readonly timeUs: number;
  /** Breaks ties: what was scheduled first happens first. */
  readonly sequence: number;
  /** What it is, for the trace: `timer`, `disk write`, `segment`. */
  readonly kind: string;
  /** The process it happens in; null: in the world around it, which no crash ends. */
  readonly owner: EventOwner | null;
  /** Null once cancelled. */
  action: (() => void) | null;
}

/** More than this many waiting events is a leak in the program under test. */
const eventsWaitingMax = 5_000_000;
/** Cancelled events stay in the heap until they are more than half of it, and at least this many. */
const cancelledKeptMin = 1_024;

function before(a: SimulatedEvent, b: SimulatedEvent): boolean {
  return a.timeUs < b.timeUs || (a.timeUs === b.timeUs && a.sequence < b.sequence);
}

/**
 * A binary heap by (time, sequence): the child of `i` are `2i + 1` and `2i + 2`.
 *
 *            3
 *         7     4        pop takes the top, moves the last one up and lets it sink
 *        9 8   5
 */
export class EventQueue {
  #heap: SimulatedEvent[] = [];
  #cancelled = 0;

  get waiting(): number {
    return this.#heap.length - this.#cancelled;
  }

  push(event: SimulatedEvent): void {
    if (this.#heap.length >= eventsWaitingMax) throw new Error(`More than ${eventsWaitingMax} events wait`);
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
  }

  /** The next event that was not cancelled; it stays in the queue. */
  peek(): SimulatedEvent | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || top.action !== null) return top;
      this.#cancelled--;
      this.#takeTop();
    }
  }

  pop(): SimulatedEvent | undefined {
    const top = this.peek();
    if (top !== undefined) this.#takeTop();
    return top;
  }

  /** May be called for an event that has happened or was cancelled already. */
  cancel(event: SimulatedEvent): void {
    if (event.action === null) return;
    event.action = null;
    this.#cancelled++;
    if (this.#cancelled >= cancelledKeptMin && this.#cancelled > this.#heap.length / 2) this.#sweep();
  }

  #takeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #sweep(): void {
    this.#heap = this.#heap.filter((event) => event.action !== null);
    this.#cancelled = 0;
    for (let position = (this.#heap.length >> 1) - 1; position >= 0; position--) this.#sink(position);
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const event = heap[start];
    if (event === undefined) return;
    let position = start;
    while (position > 0) {
      const parentPosition = (position - 1) >> 1;
      const parent = heap[parentPosition];
      if (parent === undefined || before(parent, event)) break;
      heap[position] = parent;
      position = parentPosition;
    }
    heap[position] = event;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const event = heap[start];
    if (event === undefined) return;
    let position = start;
    for (;;) {
      let childPosition = 2 * position + 1;
      let child = heap[childPosition];
      if (child === undefined) break;
      const right = heap[childPosition + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        childPosition++;
      }
      if (before(event, child)) break;
      heap[position] = child;
      position = childPosition;
    }
    heap[position] = event;
  }
}
