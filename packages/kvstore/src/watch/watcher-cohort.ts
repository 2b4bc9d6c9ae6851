import type { EncodedEvent } from "./event-encoding.ts";
import type { KeySpan } from "./key-span.ts";
import type { Watcher } from "./watcher.ts";

const noEvents: readonly Uint8Array[] = [];
const noPeers: ReadonlySet<WatcherCohort> = new Set();

/** Watchers of the same keys that want the same and lack the same: what one of them gets, all get. */
export class WatcherCohort {
  readonly span: KeySpan;
  readonly wantsPrevious: boolean;
  /** All cohorts of the same span in the index, with this one. */
  peers: ReadonlySet<WatcherCohort> = noPeers;
  eventBytes = 0;
  /** Revision of the first of `events`. */
  firstRevision = 0;
  /** Revisions with changes in the span since the last delivery, and the newest of them. */
  #revisionCount = 0;
  #lastRevision = 0;
  readonly #watchers = new Set<Watcher>();
  /** The same, as it was last asked for; null since somebody came or went. */
  #listed: readonly Watcher[] | null = null;
  readonly #skipsPuts: boolean;
  readonly #skipsDeletes: boolean;
  #events: readonly Uint8Array[] = noEvents;
  /** `#events` if it is the cohort's own list. */
  #list: Uint8Array[] | null = null;

  /** For watchers like this one. */
  constructor({ span, wantsPrevious, skipsPuts, skipsDeletes }: Watcher) {
    this.span = span;
    this.wantsPrevious = wantsPrevious;
    this.#skipsPuts = skipsPuts;
    this.#skipsDeletes = skipsDeletes;
  }

  get watchers(): ReadonlySet<Watcher> {
    return this.#watchers;
  }

  /** Those that are in it now, in a list that stays as it is. */
  get listed(): readonly Watcher[] {
    return (this.#listed ??= [...this.#watchers]);
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher);
    this.#listed = null;
  }

  delete(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    this.#listed = null;
  }

  /** Encoded, to be delivered when the revision, or the round of the group, is over. */
  get events(): readonly Uint8Array[] {
    return this.#events;
  }

  /** Whether a watcher of the same span may join: it wants the same, and nothing is gathered that it has got already. */
  takes({ wantsPrevious, skipsPuts, skipsDeletes }: Watcher): boolean {
    const wantsTheSame = wantsPrevious === this.wantsPrevious && skipsPuts === this.#skipsPuts && skipsDeletes === this.#skipsDeletes;
    return wantsTheSame && this.#events.length === 0;
  }

  skips(kind: "put" | "delete"): boolean {
    return kind === "put" ? this.#skipsPuts : this.#skipsDeletes;
  }

  /** Returns how many revisions there are with this one. */
  countRevision(revision: number): number {
    if (revision !== this.#lastRevision) this.#revisionCount++;
    this.#lastRevision = revision;
    return this.#revisionCount;
  }

  gather(revision: number, event: EncodedEvent): void {
    this.eventBytes += event[0].length;
    if (this.#list !== null) {
      this.#list.push(event[0]);
    } else if (this.#events.length > 0) {
      this.#list = [...this.#events, event[0]];
      this.#events = this.#list;
    } else {
      this.firstRevision = revision;
      this.#events = event;
    }
  }

  /** Lets go of what was gathered. */
  clear(): void {
    this.#events = noEvents;
    this.#list = null;
    this.eventBytes = 0;
    this.#revisionCount = 0;
    this.#lastRevision = 0;
  }
}
