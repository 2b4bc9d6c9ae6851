import { assert } from "./assertion.ts";
import { copyBytes } from "./copy-bytes.ts";
import type { KeyHash } from "./key-hash.ts";
import type { KeyValue, KeyValueView } from "./key-value.ts";
import { joinHalves } from "./lease-id.ts";
import type { ResultBytes } from "./result-bytes.ts";
import type { VersionRef, VersionStore } from "./version-store.ts";

const noBytes = new Uint8Array(0);

/** One object that shows version after version of a visit, so that a walk allocates nothing. */
export class VersionView implements KeyValueView {
  readonly #versions: VersionStore;
  readonly #results: ResultBytes;
  readonly #withValues: boolean;
  #version: VersionRef = 0;

  constructor(versions: VersionStore, results: ResultBytes, content: "records" | "keys") {
    this.#versions = versions;
    this.#results = results;
    this.#withValues = content === "records";
  }

  /** Turns to another version, 0 for none. */
  show(version: VersionRef): this {
    this.#version = version;
    return this;
  }

  get createRevision(): number {
    return this.#versions.createRevision(this.#shown());
  }

  get modRevision(): number {
    return this.#versions.modRevision(this.#shown());
  }

  get version(): number {
    return this.#versions.version(this.#shown());
  }

  get leaseHigh(): number {
    return this.#versions.leaseHigh(this.#shown());
  }

  get leaseLow(): number {
    return this.#versions.leaseLow(this.#shown());
  }

  get keyLength(): number {
    return this.#versions.nodes.keyLength(this.#versions.nodeOf(this.#shown()));
  }

  get valueLength(): number {
    return this.#withValues ? this.#versions.valueLength(this.#shown()) : 0;
  }

  keyView(): Uint8Array {
    const { nodes } = this.#versions;
    const node = this.#versions.nodeOf(this.#shown());
    const offset = nodes.keyOffset(node);
    return nodes.keyPage(node).subarray(offset, offset + nodes.keyLength(node));
  }

  valueView(): Uint8Array {
    return this.valueLength === 0 ? noBytes : this.#versions.valueView(this.#version);
  }

  /** The hash of the key, without a view of it. */
  keyHash(hash: KeyHash): number {
    const { nodes } = this.#versions;
    return nodes.hashOf(this.#versions.nodeOf(this.#shown()), hash);
  }

  /** Whether the key is the one of `length` bytes in these words. */
  hasKey(words: Int32Array, length: number): boolean {
    return this.#versions.nodes.hasKey(this.#versions.nodeOf(this.#shown()), words, length);
  }

  copyKey(target: Uint8Array, offset: number): void {
    const { nodes } = this.#versions;
    const node = this.#versions.nodeOf(this.#shown());
    copyBytes(nodes.keyPage(node), nodes.keyOffset(node), nodes.keyLength(node), target, offset);
  }

  copyValue(target: Uint8Array, offset: number): void {
    const length = this.valueLength;
    if (length === 0) return;
    const { values } = this.#versions;
    const cell = this.#versions.valueCell(this.#version);
    copyBytes(values.page(cell), values.offset(cell), length, target, offset);
  }

  toKeyValue(): KeyValue {
    const key = this.#results.take(this.keyLength);
    this.copyKey(key, 0);
    const value = this.#results.take(this.valueLength);
    this.copyValue(value, 0);
    return {
      key,
      value,
      createRevision: this.createRevision,
      modRevision: this.modRevision,
      version: this.version,
      lease: joinHalves(this.leaseHigh, this.leaseLow),
    };
  }

  #shown(): VersionRef {
    assert(this.#version !== 0, "A view is used only while its record is visited");
    return this.#version;
  }
}
