import { assert } from "./assertion.ts";
import type { EventLog } from "./event-log.ts";
import type { NodeRef } from "./node-arena.ts";
import type { VersionRef, VersionStore } from "./version-store.ts";

/** What is freed, and how a node is taken out of list and index. */
export interface Reclaimable {
  readonly versions: VersionStore;
  readonly events: EventLog;
  /** Takes out a node that has no version left but a tombstone, and frees it. */
  unlink(node: NodeRef): void;
}

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
  /** Versions that were freed. */
  freedVersions = 0;
  readonly #table: Reclaimable;
  /** The number of the next event. */
  #next: number;

  constructor(table: Reclaimable) {
    this.#table = table;
    this.#next = table.events.start(table.events.firstRevision);
  }

  /** Looks at `eventsMax` events at most. Returns true while there are more up to the compact revision. */
  run(compactRevision: number, eventsMax: number): boolean {
    const { events } = this.#table;
    if (compactRevision <= events.firstRevision) return false;
    const remaining = events.count(this.#next, events.start(compactRevision + 1));
    const count = Math.min(remaining, eventsMax);
    for (let i = 0; i < count; i++) {
      const version = events.at(this.#next);
      if (version !== 0) this.#settle(version);
      this.#next++;
    }
    if (count < remaining) return true;
    events.forgetRevisionsBefore(compactRevision);
    return false;
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
    this.freedVersions++;
  }

  #free(version: VersionRef): void {
    const { versions } = this.#table;
    assert(versions.older(version) === 0, "Versions are freed from the oldest on");
    this.#forgetEvent(version);
    versions.freeOldest(version);
    this.freedVersions++;
  }

  #forgetEvent(version: VersionRef): void {
    const { versions, events } = this.#table;
    events.replace(versions.event(version), versions.modRevision(version), 0);
  }
}
