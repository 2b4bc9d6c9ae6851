import type { NodeRef } from "./node-arena.ts";
import { refuse } from "./snapshot-format.ts";
import type { VersionFields, VersionRef } from "./version-store.ts";
import { VersionTable } from "./version-table.ts";

/** What a snapshot says of the table before its versions come. */
export interface TableFrame {
  readonly revision: number;
  /** -1 if the table was never compacted. */
  readonly compactRevision: number;
  /** Events since the compact revision. */
  readonly eventCount: number;
}

/** Builds a table from versions that come key by key, those of a key from the newest on, and refuses what no table can be. */
export class TableBuilder {
  readonly #frame: TableFrame;
  readonly #table: VersionTable;
  #lastFields: VersionFields | null = null;
  #lastVersion: VersionRef = 0;
  #lastPlace = 0;
  #versionCount = 0;

  /** @throws SnapshotFormatError */
  constructor(seed: number, frame: TableFrame) {
    const { revision, compactRevision, eventCount } = frame;
    const firstRevision = Math.max(compactRevision, 1);
    if (revision < firstRevision) refuse(`Revision ${revision} is below ${firstRevision}`);
    if (eventCount < revision - firstRevision)
      refuse(`${eventCount} events are fewer than the revisions from ${firstRevision} to ${revision}`);
    if (eventCount > eventsMax) refuse(`${eventCount} events are more than ${eventsMax}`);
    this.#frame = frame;
    this.#table = new VersionTable(seed, compactRevision);
    this.#table.events.openPlaces(revision, eventCount);
  }

  get versionCount(): number {
    return this.#versionCount;
  }

  get table(): VersionTable {
    return this.#table;
  }

  /** Begins another key with its newest version. `place` is that of its event, 0 for none. Returns the node. @throws SnapshotFormatError */
  addNewest(key: Uint8Array, value: Uint8Array, fields: VersionFields, place: number): NodeRef {
    this.#closeKey();
    this.#checkFields(value, fields, place);
    const version = this.#table.append(key, value, fields);
    if (version === 0) refuse("Keys do not ascend");
    this.#add(version, fields, place);
    return version;
  }

  /** Adds the version that the last one replaced. @throws SnapshotFormatError */
  addOlder(value: Uint8Array, fields: VersionFields, place: number): void {
    const newer = this.#lastFields;
    if (newer === null) refuse("An older version has no newer one");
    this.#checkFields(value, fields, place);
    this.#checkSuccession(newer, fields, place);
    const version = this.#table.appendOlder(this.#lastVersion, value, fields);
    const { events, versions } = this.#table;
    if (fields.version > 0) events.placeFreeable(newer.modRevision, versions.payloadBytes(version));
    this.#add(version, fields, place);
  }

  /** Returns the table. @throws SnapshotFormatError if something is missing. */
  finish(): VersionTable {
    this.#closeKey();
    if (!this.#table.events.closePlaces()) refuse("Events of some revision are missing");
    return this.#table;
  }

  #add(version: VersionRef, fields: VersionFields, place: number): void {
    const { events, versions } = this.#table;
    this.#versionCount++;
    this.#lastFields = fields;
    this.#lastVersion = version;
    this.#lastPlace = place;
    const number = place === 0 ? 0 : place - 1;
    versions.setEvent(version, number);
    if (place !== 0 && !events.place(number, fields.modRevision, version)) refuse(`Event ${place} came twice`);
    if (fields.version === 0) events.placeFreeable(fields.modRevision, versions.payloadBytes(version));
  }

  #checkFields(value: Uint8Array, fields: VersionFields, place: number): void {
    const { revision, compactRevision, eventCount } = this.#frame;
    const { createRevision, modRevision, version } = fields;
    if (version === 0) {
      const isBare = createRevision === 0 && value.length === 0 && fields.leaseHigh === 0 && fields.leaseLow === 0;
      if (!isBare || modRevision <= compactRevision) refuse(`A deletion at revision ${modRevision} has a value, or is compacted`);
    } else if (createRevision < 2) {
      refuse(`Create revision ${createRevision} is below 2`);
    }
    if (modRevision < 2 || createRevision > modRevision || modRevision > revision) {
      refuse(`Create revision ${createRevision} and mod revision ${modRevision} are not in order within 2 to ${revision}`);
    }
    const isEvent = modRevision >= compactRevision;
    if (place > eventCount || place > 0 !== isEvent) refuse(`Event ${place} is not one of revision ${modRevision}`);
  }

  #checkSuccession(newer: VersionFields, older: VersionFields, place: number): void {
    const { compactRevision } = this.#frame;
    if (newer.modRevision <= compactRevision) refuse(`A version that revision ${newer.modRevision} replaced is compacted`);
    const isOlder = older.modRevision < newer.modRevision || (older.modRevision === newer.modRevision && place < this.#lastPlace);
    if (!isOlder) refuse(`Revision ${older.modRevision} of a key comes behind its revision ${newer.modRevision}`);
    const isContinued = newer.version > 1;
    const fits = isContinued
      ? older.version === newer.version - 1 && older.createRevision === newer.createRevision
      : (older.version === 0) !== (newer.version === 0);
    if (!fits) refuse(`Version ${older.version} can't be followed by version ${newer.version}`);
  }

  /** The last version of a key is one that a compaction left, or the first since the key was created. */
  #closeKey(): void {
    const last = this.#lastFields;
    if (last === null || last.version === 1 || last.modRevision <= this.#frame.compactRevision) return;
    refuse(`Versions before version ${last.version} of a key are missing`);
  }
}

/** Event numbers have 32 bits. */
const eventsMax = 2 ** 31;
