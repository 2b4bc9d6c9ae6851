/** Who waits for a place among those that run. */
export interface SlotHolder {
  begin(): void;
}

/** Above the limit this many more wait in line, before the next is refused. */
const waitingMax = 1_000;

/** As many calls at once as a client may have on one connection of HTTP/2; more wait until one of them ends, as streams above the limit do. */
export class CallSlots {
  readonly #max: number;
  readonly #running = new Set<SlotHolder>();
  readonly #waiting = new Set<SlotHolder>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Begins the call, now or when its turn comes. False if too many wait. */
  enter(call: SlotHolder): boolean {
    if (this.#running.size < this.#max) {
      this.#running.add(call);
      call.begin();
      return true;
    }
    if (this.#waiting.size >= waitingMax) return false;
    this.#waiting.add(call);
    return true;
  }

  /** The call has ended, or does not want to begin any more. May be called again. */
  leave(call: SlotHolder): void {
    this.#waiting.delete(call);
    if (!this.#running.delete(call)) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#running.add(next);
    next.begin();
  }
}
