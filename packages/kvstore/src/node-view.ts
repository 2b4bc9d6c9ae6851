import { assert } from "./assertion.ts";
import { type CellArena, granuleMask, pageShift } from "./cell-arena.ts";
import type { KeyValue, KeyValueView } from "./key-value.ts";
import { joinHalves } from "./lease-id.ts";
import type { NodeArena, NodeRef } from "./node-arena.ts";
import type { ResultBytes } from "./result-bytes.ts";

const noBytes = new Uint8Array(0);
/** Up to here a loop is faster than a view and `set`. */
const loopBytesMax = 48;

/** One object that shows node after node of a visit, so that a walk allocates nothing. */
export class NodeView implements KeyValueView {
  readonly #nodes: NodeArena;
  readonly #values: CellArena;
  readonly #results: ResultBytes;
  readonly #withValues: boolean;
  #node: NodeRef = 0;

  constructor(nodes: NodeArena, values: CellArena, results: ResultBytes, content: "records" | "keys") {
    this.#nodes = nodes;
    this.#values = values;
    this.#results = results;
    this.#withValues = content === "records";
  }

  /** Turns to another node, 0 for none. */
  show(node: NodeRef): this {
    this.#node = node;
    return this;
  }

  get createRevision(): number {
    return this.#nodes.createRevision(this.#shown());
  }

  get modRevision(): number {
    return this.#nodes.modRevision(this.#shown());
  }

  get version(): number {
    return this.#nodes.version(this.#shown());
  }

  get leaseHigh(): number {
    return this.#nodes.leaseHigh(this.#shown());
  }

  get leaseLow(): number {
    return this.#nodes.leaseLow(this.#shown());
  }

  get keyLength(): number {
    return this.#nodes.keyLength(this.#shown());
  }

  get valueLength(): number {
    return this.#withValues ? this.#nodes.valueLength(this.#shown()) : 0;
  }

  keyView(): Uint8Array {
    const offset = this.#nodes.keyOffset(this.#shown());
    return this.#nodes.keyPage(this.#node).subarray(offset, offset + this.keyLength);
  }

  valueView(): Uint8Array {
    const length = this.valueLength;
    if (length === 0) return noBytes;
    const cell = this.#nodes.valueCell(this.#node);
    return valuePage(this.#values, cell).subarray(valueOffset(cell), valueOffset(cell) + length);
  }

  copyKey(target: Uint8Array, offset: number): void {
    copyBytes(this.#nodes.keyPage(this.#shown()), this.#nodes.keyOffset(this.#node), this.keyLength, target, offset);
  }

  copyValue(target: Uint8Array, offset: number): void {
    const length = this.valueLength;
    if (length === 0) return;
    const cell = this.#nodes.valueCell(this.#node);
    copyBytes(valuePage(this.#values, cell), valueOffset(cell), length, target, offset);
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

  #shown(): NodeRef {
    assert(this.#node !== 0, "A view is used only while its record is visited");
    return this.#node;
  }
}

/** The page of a value. */
export function valuePage(values: CellArena, cell: number): Uint8Array {
  return values.bytes[cell >>> pageShift] as Uint8Array;
}

/** Where in its page a value begins. */
export function valueOffset(cell: number): number {
  return (cell & granuleMask) << 3;
}

function copyBytes(source: Uint8Array, start: number, length: number, target: Uint8Array, offset: number): void {
  if (offset + length > target.length) {
    throw new RangeError(`${length} bytes at offset ${offset} are more than the ${target.length} bytes of the target`);
  }
  if (length > loopBytesMax) {
    target.set(source.subarray(start, start + length), offset);
    return;
  }
  for (let i = 0; i < length; i++) target[offset + i] = source[start + i] as number;
}
