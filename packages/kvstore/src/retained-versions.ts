import { assert } from "./assertion.ts";
import type { NodeRef } from "./node-arena.ts";
import type { VersionRef } from "./version-store.ts";
import type { VersionTable } from "./version-table.ts";

/**
 * Walks the versions that were retained when it began, key by key, those of a key from the newest on, while writes and compactions
 * go on: what is newer is passed over, and nothing is freed before it is closed.
 *
 *     key a    9  7  4 │ 2              compact revision 5, begun at 8: a shows 7 and 4, and not 2, which 4 had replaced before
 *     key b    6  3                     b shows 6 and 3; 3 is what it had at 5
 */
export class RetainedVersions {
  readonly revision: number;
  readonly compactRevision: number;
  readonly #table: VersionTable;
  #node: NodeRef;
  /** The version of `node` to look at next, 0 for none. */
  #version: VersionRef;
  #shownOf: NodeRef = 0;
  #isFirst = false;
  #isClosed = false;

  /** `revision` is one that can be read. */
  constructor(table: VersionTable, revision: number) {
    this.revision = revision;
    this.compactRevision = table.compactRevision;
    this.#table = table;
    this.#node = table.list.first();
    this.#version = this.#node;
    table.addReader();
  }

  /** True if all were shown. */
  get isDone(): boolean {
    return this.#node === 0;
  }

  /** True if the version that `next` returned is the newest of its key that is shown. */
  get isFirstOfKey(): boolean {
    return this.#isFirst;
  }

  /** The node of the version that `next` returned. */
  get node(): NodeRef {
    return this.#shownOf;
  }

  /**
   * Looks at the next version. Returns it, or 0 if it is not to be shown, so that whoever counts the calls has a bound on the time.
   */
  next(): VersionRef {
    assert(!this.#isClosed && !this.isDone, "Versions are read until they end or are closed");
    const { versions } = this.#table;
    const version = this.#version;
    const modRevision = versions.modRevision(version);
    const isBase = modRevision <= this.compactRevision;
    const node = this.#node;
    this.#version = isBase ? 0 : versions.older(version);
    if (this.#version === 0) {
      this.#node = this.#table.next(node);
      this.#version = this.#node;
    }
    if (modRevision > this.revision || (isBase && versions.isTombstone(version))) return 0;
    this.#isFirst = this.#shownOf !== node;
    this.#shownOf = node;
    return version;
  }

  /** Lets what is compacted be freed. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#table.removeReader();
  }
}
