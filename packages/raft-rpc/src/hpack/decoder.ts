import { FloodError } from "../http2/flood-error.ts";
import { ConnectionError, ErrorCode } from "../http2/frame.ts";
import { DynamicTable, entryOverheadBytes, tableBytesMax } from "./dynamic-table.ts";
import type { HeaderList } from "./header-list.ts";
import { huffmanDecode, huffmanDecodedBytesMax } from "./huffman.ts";
import { readLatin1 } from "./latin1.ts";
import { staticCount, staticNames, staticValues } from "./static-table.ts";

/** Longest prefix continuation and largest value of an integer: far above everything legal, far below overflow. */
const integerOctetsMax = 5;
const integerMax = 2 ** 24;
const sizeUpdatesMax = 2;

export interface HeaderLimits {
  /** Fields beyond these are decoded, because they change the table, but left out. */
  readonly headerListBytesMax: number;
  readonly headerFieldsMax: number;
  /** Beyond this much the connection ends: nobody sends it in good faith. */
  readonly headerListBytesHardMax: number;
}

function failure(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.COMPRESSION_ERROR, message);
}

/**
 * HPACK decoder of one direction of a connection (RFC 7541).
 *
 *   1xxxxxxx  indexed field            01xxxxxx  literal, into the table       001xxxxx  table size
 *   0001xxxx  literal, never indexed   0000xxxx  literal, not indexed
 */
export class HpackDecoder {
  readonly #table = new DynamicTable();
  readonly #limits: HeaderLimits;
  #scratch = new Uint8Array(256);
  #input: Uint8Array = this.#scratch;
  #at = 0;
  #end = 0;

  constructor(limits: HeaderLimits) {
    this.#limits = limits;
  }

  /** See `DynamicTable.version`. */
  get tableVersion(): number {
    return this.#table.version;
  }

  /** For tests: the table's entries, newest first. */
  tableEntries(): readonly (readonly [string, string])[] {
    return Array.from({ length: this.#table.count }, (_, position) => [this.#table.name(position), this.#table.value(position)]);
  }

  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** Decodes a whole header block, `input` from `start` to `end`, into `list`. Throws COMPRESSION_ERROR or FloodError. */
  decode(input: Uint8Array, start: number, end: number, list: HeaderList): void {
    list.clear();
    this.#input = input;
    this.#at = start;
    this.#end = end;
    let sizeUpdates = 0;
    let fields = 0;
    while (this.#at < end) {
      const first = input[this.#at] as number;
      if ((first & 0x80) !== 0) {
        this.#indexed(list);
      } else if ((first & 0x40) !== 0) {
        this.#literal(6, true, list);
      } else if ((first & 0x20) !== 0) {
        if (fields > 0) throw failure("Table size update stands behind a field");
        if (++sizeUpdates > sizeUpdatesMax) throw failure(`More than ${sizeUpdatesMax} table size updates in a block`);
        this.#sizeUpdate();
        continue;
      } else {
        this.#literal(4, false, list);
      }
      fields++;
    }
  }

  #indexed(list: HeaderList): void {
    const index = this.#integer(7);
    if (index === 0) throw failure("Index 0 is not a field");
    if (index <= staticCount) return this.#emit(staticNames[index] as string, staticValues[index] as string, list);
    const position = this.#position(index);
    this.#emit(this.#table.name(position), this.#table.value(position), list);
  }

  #literal(prefixBits: number, insert: boolean, list: HeaderList): void {
    const index = this.#integer(prefixBits);
    let name: string;
    if (index === 0) name = this.#string();
    else if (index <= staticCount) name = staticNames[index] as string;
    else name = this.#table.name(this.#position(index));
    const value = this.#string();
    if (insert) this.#table.insert(name, value);
    this.#emit(name, value, list);
  }

  #position(index: number): number {
    const position = index - staticCount - 1;
    if (position >= this.#table.count) throw failure(`Index ${index} is above the tables, which end at ${staticCount + this.#table.count}`);
    return position;
  }

  #sizeUpdate(): void {
    const bytesMax = this.#integer(5);
    if (bytesMax > tableBytesMax) throw failure(`Table size ${bytesMax} is above the advertised ${tableBytesMax}`);
    this.#table.resize(bytesMax);
  }

  #emit(name: string, value: string, list: HeaderList): void {
    list.listBytes += name.length + value.length + entryOverheadBytes;
    if (list.listBytes > this.#limits.headerListBytesMax || list.count >= this.#limits.headerFieldsMax) {
      list.tooLarge = true;
      if (list.listBytes > this.#limits.headerListBytesHardMax) {
        throw new FloodError("headerList", `Header list is above ${this.#limits.headerListBytesHardMax} bytes`);
      }
      return;
    }
    list.add(name, value);
  }

  /** RFC 7541 5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#input[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let octet = 0; octet < integerOctetsMax; octet++) {
      if (this.#at >= this.#end) throw failure("Integer is cut off");
      const next = this.#input[this.#at++] as number;
      value += (next & 0x7f) * 2 ** (7 * octet);
      if (value > integerMax) throw failure(`Integer is above ${integerMax}`);
      if (next < 0x80) return value;
    }
    throw failure(`Integer has more than ${integerOctetsMax} octets`);
  }

  /** RFC 7541 5.2. */
  #string(): string {
    if (this.#at >= this.#end) throw failure("String is cut off");
    const huffman = (this.#input[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    const from = this.#at;
    if (length > this.#end - from) throw failure(`String of ${length} octets is longer than the ${this.#end - from} left`);
    this.#at = from + length;
    if (!huffman) return readLatin1(this.#input, from, from + length);
    const roomBytes = huffmanDecodedBytesMax(length);
    if (this.#scratch.length < roomBytes) this.#scratch = new Uint8Array(roomBytes);
    return readLatin1(this.#scratch, 0, huffmanDecode(this.#input, from, from + length, this.#scratch));
  }
}
