import { crc32c } from "./crc32c.ts";
import { RetainedVersions } from "./retained-versions.ts";
import { writeSafeInteger } from "./snapshot-format.ts";
import type { VersionTable } from "./version-table.ts";
import type { VersionView } from "./version-view.ts";

const headBytes = 40;

/**
 * The hash of a revision, taken step by step while writes go on: the CRC-32C of all versions up to it that are retained, in key order,
 * those of a key from the newest on. Members with the same revision and compact revision have the same hash.
 *
 *     offset   0                 8              16        24        32     40
 *     version  key length u32 | value length u32 | create u64 | mod u64 | version u64 | lease i64 | key | value
 *
 * Compacted memory is not given back before it ends, so close it in any case.
 */
export class HashRun {
  readonly revision: number;
  readonly compactRevision: number;
  readonly #table: VersionTable;
  readonly #versions: RetainedVersions;
  readonly #head = new Uint8Array(headBytes);
  readonly #fields = new DataView(this.#head.buffer);
  #hash = 0;

  constructor(table: VersionTable, revision: number) {
    this.#table = table;
    this.#versions = new RetainedVersions(table, revision);
    this.revision = revision;
    this.compactRevision = this.#versions.compactRevision;
  }

  /** Looks at `versionsMax` more versions. Returns the hash, an unsigned 32-bit number, or null while there are more. */
  step(versionsMax: number): number | null {
    const versions = this.#versions;
    this.#table.visit("records", (view) => {
      for (let i = 0; i < versionsMax && !versions.isDone; i++) {
        const version = versions.next();
        if (version !== 0) this.#add(view.show(version));
      }
    });
    if (!versions.isDone) return null;
    this.close();
    return this.#hash;
  }

  /** May be called twice, and after the end. */
  close(): void {
    this.#versions.close();
  }

  #add(view: VersionView): void {
    const fields = this.#fields;
    const key = view.keyView();
    const value = view.valueView();
    fields.setUint32(0, key.length);
    fields.setUint32(4, value.length);
    writeSafeInteger(fields, 8, view.createRevision);
    writeSafeInteger(fields, 16, view.modRevision);
    writeSafeInteger(fields, 24, view.version);
    fields.setInt32(32, view.leaseHigh);
    fields.setInt32(36, view.leaseLow);
    this.#hash = crc32c(this.#head, 0, headBytes, this.#hash);
    this.#hash = crc32c(key, 0, key.length, this.#hash);
    this.#hash = crc32c(value, 0, value.length, this.#hash);
  }
}
