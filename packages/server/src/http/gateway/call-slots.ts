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
  #isAdmitting = false;

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
    if (this.#running.delete(call) && !this.#isAdmitting) this.#admit();
  }

  /** In a loop: calls that end as soon as they begin must not begin each other. */
  #admit(): void {
    this.#isAdmitting = true;
    try {
      for (const next of this.#waiting) {
        if (this.#running.size >= this.#max) break;
        this.#waiting.delete(next);
        this.#running.add(next);
        next.begin();
      }
    } finally {
      this.#isAdmitting = false;
    }
  }
}
