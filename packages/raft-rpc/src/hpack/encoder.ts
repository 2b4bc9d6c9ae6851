import { huffmanEncode } from "./huffman.ts";
import { latin1Bytes } from "./latin1.ts";
import { staticNameIndex, staticPairIndex } from "./static-table.ts";

/** Values that intermediaries must never put into a table (RFC 7541 7.1.3). */
const neverIndexedNames: ReadonlySet<string> = new Set(["authorization", "cookie", "token"]);

/** Opens the first block of a connection: our encoder keeps no table, whatever size the peer offers (RFC 7541 4.2). */
export const emptyTableUpdate = 0x20;

/**
 * Builds header blocks without a dynamic table: static indexes and literals only, which are always correct, so that a block can be built
 * once and sent on any connection. Strings are in Huffman code where that is shorter.
 */
export class HeaderBlockBuilder {
  #bytes = new Uint8Array(128);
  #length = 0;

  field(name: string, value: string): this {
    const pair = staticPairIndex(name, value);
    if (pair > 0) {
      this.#integer(0x80, 7, pair);
      return this;
    }
    this.#integer(neverIndexedNames.has(name) ? 0x10 : 0x00, 4, staticNameIndex(name));
    if (staticNameIndex(name) === 0) this.#string(name);
    this.#string(value);
    return this;
  }

  build(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #integer(pattern: number, prefixBits: number, value: number): void {
    const mask = (1 << prefixBits) - 1;
    if (value < mask) return this.#byte(pattern | value);
    this.#byte(pattern | mask);
    let left = value - mask;
    while (left >= 0x80) {
      this.#byte((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    this.#byte(left);
  }

  #string(text: string): void {
    const compressed = huffmanEncode(text);
    const isShorter = compressed.length < text.length;
    const bytes = isShorter ? compressed : latin1Bytes(text);
    this.#integer(isShorter ? 0x80 : 0x00, 7, bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  #room(count: number): void {
    if (this.#bytes.length - this.#length >= count) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
