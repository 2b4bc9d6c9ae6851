import { assert } from "./assertion.ts";
import type { VersionRef } from "./version-store.ts";
import type { VersionTable } from "./version-table.ts";

/**
 * Frees what compactions gave up, in slices. It walks the events up to the compact revision in their order, so when it comes to a
 * version, what that one replaced is the oldest of its key, and all that is left to do is:
 *
 *     a put        free the version that it replaced
 *     a tombstone  free the version that it replaced and itself, and the node if nothing replaced it
 *
 * Events below the compact revision are forgotten then. Those at it stay: watchers may begin there.
 */
export class Reclaimer {
  readonly #table: VersionTable;
  /** The number of the next event. */
  #next: number;

  constructor(table: VersionTable) {
    this.#table = table;
    this.#next = table.events.start(table.revision);
  }

  get hasMore(): boolean {
    const { events, compactRevision } = this.#table;
    return compactRevision > events.firstRevision;
  }

  /** Looks at `eventsMax` events at most. */
  run(eventsMax: number): void {
    const { events, compactRevision } = this.#table;
    if (!this.hasMore) return;
    const remaining = events.count(this.#next, events.start(compactRevision + 1));
    const count = Math.min(remaining, eventsMax);
    for (let i = 0; i < count; i++) {
      const version = events.at(this.#next);
      if (version !== 0) this.#settle(version);
      this.#next++;
    }
    if (count === remaining) events.forgetRevisionsBefore(compactRevision);
  }

  #settle(version: VersionRef): void {
    const { versions } = this.#table;
    const replaced = versions.older(version);
    if (replaced !== 0) this.#free(replaced);
    if (!versions.isTombstone(version)) return;
    if (version < 0) {
      this.#free(version);
      return;
    }
    this.#forgetEvent(version);
    this.#table.unlink(version);
  }

  #free(version: VersionRef): void {
    const { versions } = this.#table;
    assert(versions.older(version) === 0, "Versions are freed from the oldest on");
    this.#forgetEvent(version);
    versions.freeOldest(version);
  }

  #forgetEvent(version: VersionRef): void {
    const { versions, events } = this.#table;
    events.replace(versions.event(version), versions.modRevision(version), 0);
  }
}
