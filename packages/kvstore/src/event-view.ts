import type { KeyHash } from "./key-hash.ts";
import type { KeyValueView } from "./key-value.ts";
import type { VersionRef } from "./version-store.ts";
import type { VersionTable } from "./version-table.ts";
import type { VersionView } from "./version-view.ts";

/** A change where it lies, valid only within the visit that shows it. */
export interface EventView {
  readonly kind: "put" | "delete";
  readonly revision: number;
  /** What was put; of a delete only the key and the mod revision, everything else is 0 or empty. */
  readonly current: KeyValueView;
  /** What the key had before the revision; null if nothing, or if that is compacted. */
  readonly previous: KeyValueView | null;
  /** The hash of the key, without a view of it. */
  keyHash(hash: KeyHash): number;
  /** Whether the key is the one of `length` bytes in these words, as a `SearchKey` has them. */
  hasKey(words: Int32Array, length: number): boolean;
}

/** Calls `visit` for each event from revision `from` up to, but without, `end`. What a compaction gave up is no event any more. */
export function visitEventsBetween(table: VersionTable, from: number, end: number, visit: (event: EventView) => void): void {
  const { events } = table;
  table.visit("records", (current) => {
    const view = new MovingEventView(table, current);
    for (let revision = from; revision < end; revision++) {
      const start = events.start(revision);
      const count = events.count(start, events.start(revision + 1));
      for (let i = 0; i < count; i++) {
        const version = events.at(start + i);
        if (version !== 0 && table.isRetained(version)) visit(view.show(version));
      }
    }
    view.show(0);
  });
}

/** One object that shows event after event. */
class MovingEventView implements EventView {
  readonly current: VersionView;
  readonly #table: VersionTable;
  /** Made when it is asked for. */
  #previous: VersionView | null = null;
  #version: VersionRef = 0;

  constructor(table: VersionTable, current: VersionView) {
    this.#table = table;
    this.current = current;
  }

  /** Turns to the event that made another version, 0 for none. */
  show(version: VersionRef): this {
    this.#version = version;
    this.current.show(version);
    this.#previous?.show(0);
    return this;
  }

  get kind(): "put" | "delete" {
    return this.current.version === 0 ? "delete" : "put";
  }

  get revision(): number {
    return this.current.modRevision;
  }

  keyHash(hash: KeyHash): number {
    return this.current.keyHash(hash);
  }

  hasKey(words: Int32Array, length: number): boolean {
    return this.current.hasKey(words, length);
  }

  get previous(): KeyValueView | null {
    const { versions, compactRevision } = this.#table;
    const { revision } = this;
    if (this.current.createRevision === revision || revision <= compactRevision) return null;
    let version = versions.older(this.#version);
    while (version !== 0 && versions.modRevision(version) === revision) version = versions.older(version);
    if (version === 0 || versions.isTombstone(version)) return null;
    this.#previous ??= this.#table.createView("records");
    return this.#previous.show(version);
  }
}
