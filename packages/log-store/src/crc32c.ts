import { createRequire } from "node:module";

/**
 * CRC-32C (Castagnoli, RFC 3720 12.1): reflected polynomial 0x82F63B78, initial value and final xor 0xFFFFFFFF. It guards against
 * faults, not against an attacker.
 */
export type Crc32c = (bytes: Uint8Array, previous?: number) => number;

/** Where the native code overtakes the table: below it the call itself costs more than the bytes. Measured on Node 20. */
const NATIVE_BYTES_MIN = 128;

const tables = buildTables();

/** Eight tables of 256 entries; table k advances a byte by k further zero bytes (Kounavis and Berry, 2005). */
function buildTables(): Int32Array {
  const result = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    result[byte] = value;
  }
  for (let at = 256; at < result.length; at++) {
    const before = result[at - 256] ?? 0;
    result[at] = (result[before & 0xff] ?? 0) ^ (before >>> 8);
  }
  return result;
}

/** The table-driven code, eight bytes a step. `previous` continues a checksum: crc(a then b) = crc(b, crc(a)). */
export function tableCrc32c(bytes: Uint8Array, previous = 0): number {
  // Indexes are masked or bounded by the loop, so every read hits.
  const table = tables;
  const input = bytes;
  const length = bytes.length;
  let crc = ~previous;
  let at = 0;
  for (const end = length - 7; at < end; at += 8) {
    crc ^= input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24);
    crc =
      table[1792 + (crc & 0xff)]! ^
      table[1536 + ((crc >>> 8) & 0xff)]! ^
      table[1280 + ((crc >>> 16) & 0xff)]! ^
      table[1024 + (crc >>> 24)]! ^
      table[768 + input[at + 4]!]! ^
      table[512 + input[at + 5]!]! ^
      table[256 + input[at + 6]!]! ^
      table[input[at + 7]!]!;
  }
  for (; at < length; at++) crc = table[(crc ^ input[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The native code if the optional package is installed for this platform. */
export const nativeCrc32c: Crc32c | null = loadNative();

function loadNative(): Crc32c | null {
  try {
    const loaded: unknown = createRequire(import.meta.url)("@node-rs/crc32");
    if (typeof loaded !== "object" || loaded === null || !("crc32c" in loaded)) return null;
    const native = loaded.crc32c;
    return typeof native === "function" ? (native as Crc32c) : null;
  } catch {
    // An optional dependency: the table gives the same result.
    return null;
  }
}

/** Table for short input, native for longer input where it is there. */
export const crc32c: Crc32c =
  nativeCrc32c === null
    ? tableCrc32c
    : (bytes, previous = 0) => (bytes.length < NATIVE_BYTES_MIN ? tableCrc32c(bytes, previous) : nativeCrc32c(bytes, previous));
