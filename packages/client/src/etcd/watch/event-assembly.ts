import type { WatchResponse } from "./watch-response.ts";
import type { WatchBatch, WatchEvent } from "./watch-types.ts";

/**
 * Makes batches of responses: keeps the events of one revision together when a response was sent in pieces, and knows the first revision
 * that was not told yet. The last revision of a piece is held back, for the next piece may go on with it.
 */
export class EventAssembly {
  #nextRevision: number;
  #held: readonly WatchEvent[] = [];

  /** `startRevision` 0: known when the watch was created. */
  constructor(startRevision: number) {
    this.#nextRevision = startRevision;
  }

  get nextRevision(): number {
    return this.#nextRevision;
  }

  /** A server has taken the watch when its store was at `revision`. */
  created(revision: number): void {
    if (this.#nextRevision === 0) this.#nextRevision = revision + 1;
  }

  /** Another server, or the same again, is asked to go on from `nextRevision`. */
  interrupted(): void {
    this.#held = [];
  }

  /** Null: all of it is held back. */
  accept({ header, events, fragment }: WatchResponse): WatchBatch | null {
    if (events.length === 0 && this.#held.length === 0) {
      this.#nextRevision = Math.max(this.#nextRevision, header.revision + 1);
      return { header, revision: this.#nextRevision - 1, events: [] };
    }
    // A server that sends from an earlier revision on than it was asked to must not make anything come twice.
    const all = [...this.#held, ...events].filter(({ kv }) => kv.modRevision >= this.#nextRevision);
    const last = all.at(-1)?.kv.modRevision ?? 0;
    const whole = fragment ? all.filter(({ kv }) => kv.modRevision < last) : all;
    this.#held = all.slice(whole.length);
    const lastWhole = whole.at(-1)?.kv.modRevision;
    if (lastWhole === undefined) return null;
    this.#nextRevision = lastWhole + 1;
    return { header, revision: lastWhole, events: whole };
  }
}
