import type { Watcher, WatcherGroup } from "./watcher.ts";
import type { WatcherCohort } from "./watcher-cohort.ts";
import { type WatchedKeyHash, WatcherIndex } from "./watcher-index.ts";

/**
 *   gathering ── enough, or all there is ──► delivering ── all have theirs ──► leaving (or gathering again, after the other groups)
 *       └── compacted ──► ending
 */
export type CatchUpPhase = "gathering" | "delivering" | "leaving" | "ending";

/** What a cohort gets, and who of it has not got it yet: those from `at` on. */
export interface CohortDelivery {
  readonly watchers: readonly Watcher[];
  readonly events: readonly Uint8Array[];
  readonly eventBytes: number;
  readonly firstRevision: number;
  at: number;
}

/** Watchers that go through the history together, because they lack the same revisions. */
export class CatchUpGroup implements WatcherGroup {
  /** Everything below has been gathered for all of them. */
  cursor: number;
  phase: CatchUpPhase = "gathering";
  readonly index: WatcherIndex;
  /** The cohorts for which something was gathered. */
  gathered: WatcherCohort[] = [];
  /** What the events take that were gathered in this round, and how many references to them there are. */
  gatheredBytes = 0;
  gatheredCount = 0;
  /** A cohort has as many revisions as a response may hold. */
  isResponseFull = false;
  #delivery: CohortDelivery | null = null;

  constructor(cursor: number, hash: WatchedKeyHash) {
    this.cursor = cursor;
    this.index = new WatcherIndex(hash);
  }

  get size(): number {
    return this.index.size;
  }

  add(watcher: Watcher): void {
    watcher.group = this;
    this.index.add(watcher);
  }

  /** The watcher remembers from where on it lacks something. */
  delete(watcher: Watcher): void {
    const { events, firstRevision } = this.index.delete(watcher);
    watcher.nextRevision = events.length > 0 ? firstRevision : this.cursor;
    watcher.group = null;
  }

  /** Takes over all watchers of a group that is as far, with what was gathered for them. Nothing is being delivered in either. */
  join(other: CatchUpGroup): void {
    for (const watcher of other.index.watchers()) watcher.group = this;
    this.index.adopt(other.index);
    const [more, fewer] = this.gathered.length < other.gathered.length ? [other.gathered, this.gathered] : [this.gathered, other.gathered];
    for (const cohort of fewer) more.push(cohort);
    this.gathered = more;
    this.gatheredBytes += other.gatheredBytes;
    this.gatheredCount += other.gatheredCount;
  }

  /** What is to be delivered next, null if everything that was gathered is. */
  delivery(): CohortDelivery | null {
    while (this.#delivery === null || this.#delivery.at === this.#delivery.watchers.length) {
      const cohort = this.gathered.pop();
      this.#delivery = cohort === undefined ? null : this.#taken(cohort);
      if (this.#delivery === null) return null;
    }
    return this.#delivery;
  }

  /** Everything that was gathered is delivered. */
  beginRound(): void {
    this.phase = "gathering";
    this.gatheredBytes = 0;
    this.gatheredCount = 0;
  }

  #taken(cohort: WatcherCohort): CohortDelivery {
    const { watchers, events, eventBytes, firstRevision } = cohort;
    const delivery = { watchers: [...watchers], events, eventBytes, firstRevision, at: 0 };
    cohort.clear();
    this.index.settle(cohort);
    return delivery;
  }
}
