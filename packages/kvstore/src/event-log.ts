import { assert } from "./assertion.ts";
import { NumberLog } from "./number-log.ts";
import type { VersionRef } from "./version-store.ts";

/**
 * All changes in the order of their revisions, and within a revision in that of the calls: what watchers catch up with and
 * compaction walks along.
 *
 *     revision   5       6              7            by revision: the number of its first event
 *     event      11      12  13  14     15           by number: the version that came about, 0 once that was freed
 *
 * Numbers count modulo 2^32. A change lies here as long as its revision is not below the compact revision, and until it is forgotten.
 */
export class EventLog {
  readonly #versions: NumberLog;
  readonly #starts: NumberLog;
  /** By revision: bytes that a compaction to it frees, all earlier ones included. */
  readonly #freeable: NumberLog;

  /** A log that begins with the revision, which has no events yet. */
  constructor(firstRevision: number) {
    this.#versions = new NumberLog("int32", 0);
    this.#starts = new NumberLog("int32", firstRevision);
    this.#freeable = new NumberLog("double", firstRevision);
    this.#starts.push(0);
    this.#freeable.push(0);
  }

  /** The first revision whose events are here. */
  get firstRevision(): number {
    return this.#starts.first;
  }

  get lastRevision(): number {
    return this.#starts.end - 1;
  }

  get usedBytes(): number {
    return this.#versions.usedBytes + this.#starts.usedBytes + this.#freeable.usedBytes;
  }

  get reservedBytes(): number {
    return this.#versions.reservedBytes + this.#starts.reservedBytes + this.#freeable.reservedBytes;
  }

  /** Begins the revision behind the last. */
  beginRevision(): void {
    const revision = this.#starts.end;
    assert(revision <= Number.MAX_SAFE_INTEGER, "Revisions are safe integers");
    this.#starts.push(this.#versions.end);
    this.#freeable.push(this.#freeable.at(revision - 1));
  }

  /** Adds a change of the last revision. Returns its number. */
  append(version: VersionRef): number {
    const number = this.#versions.end;
    this.#versions.push(version);
    return number;
  }

  /** The number of the first event of a revision that is here, or of the first to come if it is the one behind the last. */
  start(revision: number): number {
    return revision === this.#starts.end ? this.#versions.end : this.#starts.at(revision);
  }

  /** How many events lie between two numbers, the second not included. */
  count(start: number, end: number): number {
    return (end - start) >>> 0;
  }

  /** The version of an event; 0 if it was freed or forgotten. */
  at(number: number): VersionRef {
    return this.#versions.has(number) ? this.#versions.at(number) : 0;
  }

  /** Tells the event of a version where it lies now; 0 when it is freed. `revision` is that of the version. */
  replace(number: number, revision: number, version: VersionRef): void {
    if (revision >= this.firstRevision && this.#versions.has(number)) this.#versions.set(number, version);
  }

  /** Notes that a compaction to the last revision frees so many bytes more. */
  addFreeable(bytes: number): void {
    const revision = this.lastRevision;
    this.#freeable.set(revision, this.#freeable.at(revision) + bytes);
  }

  /** Bytes that compactions up to a revision that is here free. Only differences mean something. */
  freeableBytes(revision: number): number {
    return this.#freeable.at(revision);
  }

  /** Forgets revisions in front of one that is here, all their events, and events of freed versions that come next. */
  forgetRevisionsBefore(revision: number): void {
    const versions = this.#versions;
    versions.forgetBefore(this.start(revision));
    while (versions.length > 0 && versions.at(versions.first) === 0) versions.forgetBefore(versions.first + 1);
    this.#starts.forgetBefore(revision);
    this.#freeable.forgetBefore(revision);
  }

  /** Makes room for the events up to a revision, to be put in their places in any order. `count` begins with the first revision. */
  openPlaces(revision: number, count: number): void {
    const revisions = revision - this.lastRevision;
    this.#versions.extend(count);
    this.#starts.extend(revisions);
    this.#freeable.extend(revisions);
  }

  /** Puts a version in its place. Returns false if it is taken. Until `closePlaces` the starts are numbers of events. */
  place(number: number, revision: number, version: VersionRef): boolean {
    assert(this.#versions.has(number) && this.#starts.has(revision), "An event is placed where room was made");
    if (this.#versions.at(number) !== 0) return false;
    this.#versions.set(number, version);
    this.#starts.set(revision, this.#starts.at(revision) + 1);
    return true;
  }

  /** Notes that a compaction to a revision frees so many bytes more than one to the revision before. */
  placeFreeable(revision: number, bytes: number): void {
    this.#freeable.set(revision, this.#freeable.at(revision) + bytes);
  }

  /** Returns false if a revision behind the first has no event, or a place behind those of the first revision is empty. */
  closePlaces(): boolean {
    const { firstRevision, lastRevision } = this;
    let start = this.#versions.end;
    for (let revision = lastRevision; revision > firstRevision; revision--) {
      const count = this.#starts.at(revision);
      if (count === 0) return false;
      start -= count;
      this.#starts.set(revision, start);
    }
    for (let revision = firstRevision + 1; revision <= lastRevision; revision++)
      this.placeFreeable(revision, this.#freeable.at(revision - 1));
    this.#starts.set(firstRevision, this.#versions.first);
    for (let number = start; number < this.#versions.end; number++) if (this.#versions.at(number) === 0) return false;
    return true;
  }

  /** Checks that the starts ascend, and calls `visit` for each event that was not freed. @throws Error if something does not hold. */
  verify(visit: (version: VersionRef, number: number) => void): void {
    for (let revision = this.firstRevision + 1; revision <= this.lastRevision; revision++) {
      assert(this.count(this.start(revision), this.start(revision + 1)) > 0, "A revision has at least one event");
      assert(this.freeableBytes(revision - 1) <= this.freeableBytes(revision), "What a compaction frees grows with its revision");
    }
    const { first, end } = this.#versions;
    for (let number = first; number < end; number++) {
      const version = this.#versions.at(number);
      if (version !== 0) visit(version, number);
    }
  }
}
