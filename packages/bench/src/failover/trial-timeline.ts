/** What became of one put, which a survivor of the fault acknowledged. */
export interface Acknowledgement {
  /** Place among the survivors, from 0. */
  readonly survivor: number;
  readonly sentMs: number;
  readonly acknowledgedMs: number;
  /** Of the survivor when it answered. */
  readonly term: number;
}

/** Milliseconds from the signal to the leader. Only puts that were sent after it count, but for `silenceMs`. */
export interface TrialTimes {
  /** Until a put was acknowledged through any survivor, perhaps by the old leader. */
  readonly firstMs: number;
  /**
   * The failover: until a put was acknowledged through any survivor in a later term than before. The new term tells the next leader from the old
   * one, which still takes puts for a moment when it is told to stop.
   */
  readonly failoverMs: number;
  /** The same through each of the survivors. */
  readonly bothMs: number;
  /** The longest time without an acknowledgement of any put, until `bothMs`. */
  readonly silenceMs: number;
}

export interface TimelineOptions {
  readonly survivors: number;
  /** Of all members before the signal. */
  readonly term: number;
}

/**
 * Reads the times of a trial off its acknowledgements, in the order in which they come.
 *
 *            signal
 *   ──x──x──x──┼──x───────────────────────────────x──x──x──x──►
 *              │  first: old leader     failover: │     │ both
 *              │  ├────────── silence ────────────┤
 *              │  term 2                          │ term 3, survivor 1 .. and 2
 */
export class TrialTimeline {
  readonly #term: number;
  /** When each survivor acknowledged in a later term, or NaN. */
  readonly #survivorsMs: number[];
  #signalMs = Number.NaN;
  #firstMs = Number.NaN;
  #lastMs = Number.NaN;
  #silenceMs = 0;
  #movedEarly = false;

  constructor({ survivors, term }: TimelineOptions) {
    this.#term = term;
    this.#survivorsMs = Array<number>(survivors).fill(Number.NaN);
  }

  /** A later term came before the signal: it went to a leader that led no more. */
  get movedEarly(): boolean {
    return this.#movedEarly;
  }

  signalled(nowMs: number): void {
    this.#signalMs = nowMs;
    this.#lastMs = nowMs;
  }

  acknowledged({ survivor, sentMs, acknowledgedMs, term }: Acknowledgement): void {
    const isLaterTerm = term > this.#term;
    if (Number.isNaN(this.#signalMs)) {
      this.#movedEarly ||= isLaterTerm;
      return;
    }
    if (this.times() !== null) return;
    this.#silenceMs = Math.max(this.#silenceMs, acknowledgedMs - this.#lastMs);
    this.#lastMs = acknowledgedMs;
    if (sentMs < this.#signalMs) return;
    if (Number.isNaN(this.#firstMs)) this.#firstMs = acknowledgedMs;
    if (isLaterTerm && Number.isNaN(this.#survivorsMs[survivor])) this.#survivorsMs[survivor] = acknowledgedMs;
  }

  /** Null until every survivor has acknowledged a put in a later term. */
  times(): TrialTimes | null {
    const bothMs = Math.max(...this.#survivorsMs) - this.#signalMs;
    if (Number.isNaN(bothMs)) return null;
    return {
      firstMs: this.#firstMs - this.#signalMs,
      failoverMs: Math.min(...this.#survivorsMs) - this.#signalMs,
      bothMs,
      silenceMs: this.#silenceMs,
    };
  }
}
