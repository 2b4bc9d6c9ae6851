import { ConnectionError, ErrorCode } from "../http2/frame.ts";
import { endOfString, huffmanCodes } from "./huffman-code.ts";

const subTableMax = 64;

/**
 * Eight bits at a time: `table[sub * 256 + bits]` is > 0 for the next sub-table, < 0 for a leaf -(symbol << 4 | bits used), 0 for no code.
 * EOS is left out, so that it decodes as no code: inside a string it is an error (RFC 7541 5.2).
 */
function buildDecodeTable(): Int32Array {
  const table = new Int32Array(256 * subTableMax);
  let tableCount = 1;
  for (const { symbol, code, bits } of huffmanCodes) {
    if (symbol === endOfString) continue;
    let sub = 0;
    let left = bits;
    while (left > 8) {
      left -= 8;
      const cell = sub * 256 + ((code >>> left) & 255);
      if (table[cell] === 0) table[cell] = tableCount++;
      sub = table[cell] as number;
    }
    const base = (code << (8 - left)) & 255;
    table.fill(-((symbol << 4) | left), sub * 256 + base, sub * 256 + base + (1 << (8 - left)));
  }
  return table.slice(0, tableCount * 256);
}

const decodeTable = buildDecodeTable();

/** The shortest code has 5 bits. */
export function huffmanDecodedBytesMax(encodedBytes: number): number {
  return Math.floor((encodedBytes * 8) / 5);
}

/**
 * Decodes `input` from `from` to `to` into `out`, which holds at least `huffmanDecodedBytesMax(to - from)` octets; returns the length.
 * Throws COMPRESSION_ERROR for EOS, for padding of 8 bits or more, and for padding that is not all ones.
 */
export function huffmanDecode(input: Uint8Array, from: number, to: number, out: Uint8Array): number {
  let window = 0;
  let windowBits = 0;
  let symbolBits = 0;
  let sub = 0;
  let length = 0;
  for (let place = from; place < to; place++) {
    window = (window << 8) | (input[place] as number);
    windowBits += 8;
    symbolBits += 8;
    while (windowBits >= 8) {
      const cell = decodeTable[sub * 256 + ((window >>> (windowBits - 8)) & 255)] as number;
      if (cell > 0) {
        sub = cell;
        windowBits -= 8;
        continue;
      }
      if (cell === 0) throw new ConnectionError(ErrorCode.COMPRESSION_ERROR, "Huffman code has no symbol");
      out[length++] = -cell >> 4;
      windowBits -= -cell & 15;
      symbolBits = windowBits;
      sub = 0;
    }
  }
  while (windowBits > 0) {
    const cell = decodeTable[sub * 256 + ((window << (8 - windowBits)) & 255)] as number;
    if (cell >= 0 || (-cell & 15) > windowBits) break;
    out[length++] = -cell >> 4;
    windowBits -= -cell & 15;
    symbolBits = windowBits;
    sub = 0;
  }
  const ones = (1 << windowBits) - 1;
  if (symbolBits > 7 || (window & ones) !== ones) throw new ConnectionError(ErrorCode.COMPRESSION_ERROR, "Huffman padding is wrong");
  return length;
}

const codeBySymbol = new Uint32Array(256);
const bitsBySymbol = new Uint8Array(256);
for (const { symbol, code, bits } of huffmanCodes) {
  if (symbol === endOfString) continue;
  codeBySymbol[symbol] = code;
  bitsBySymbol[symbol] = bits;
}

/** The string in Huffman code, the last octet filled with ones. Only octets: character codes above 255 are not allowed. */
export function huffmanEncode(text: string): Uint8Array {
  let bitCount = 0;
  for (let place = 0; place < text.length; place++) bitCount += bitsBySymbol[text.charCodeAt(place)] as number;
  const out = new Uint8Array(Math.ceil(bitCount / 8));
  let at = 0;
  let octet = 0;
  let free = 8;
  for (let place = 0; place < text.length; place++) {
    const symbol = text.charCodeAt(place);
    const code = codeBySymbol[symbol] as number;
    let left = bitsBySymbol[symbol] as number;
    while (left > 0) {
      const count = Math.min(left, free);
      left -= count;
      free -= count;
      octet |= ((code >>> left) & ((1 << count) - 1)) << free;
      if (free === 0) {
        out[at++] = octet;
        octet = 0;
        free = 8;
      }
    }
  }
  if (free < 8) out[at] = octet | ((1 << free) - 1);
  return out;
}
