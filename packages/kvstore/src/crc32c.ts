/** CRC-32C of bytes from `start` up to `end`, going on from the checksum of those before, 0 for none. Unsigned. */
export type Crc32c = (bytes: Uint8Array, start: number, end: number, before?: number) => number;

const polynomial = 0x82f63b78;
const tables = slicingTables();

/**
 * CRC-32C (Castagnoli; RFC 3720 appendix B.4), eight bytes a step (Kounavis and Berry, "A systematic approach to building high performance
 * software-based CRC generators", 2005).
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, before = 0): number {
  let crc = ~before;
  let at = start;
  for (; end - at >= 8; at += 8) {
    const low = crc ^ word(bytes, at);
    const high = word(bytes, at + 4);
    crc =
      lookUp(7, low) ^
      lookUp(6, low >>> 8) ^
      lookUp(5, low >>> 16) ^
      lookUp(4, low >>> 24) ^
      lookUp(3, high) ^
      lookUp(2, high >>> 8) ^
      lookUp(1, high >>> 16) ^
      lookUp(0, high >>> 24);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ lookUp(0, crc ^ (bytes[at] as number));
  return ~crc >>> 0;
}

/** Four bytes, the first one lowest. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}

/** The effect of a byte that `behind` more bytes follow. */
function lookUp(behind: number, byte: number): number {
  return tables[(behind << 8) | (byte & 0xff)] as number;
}

function slicingTables(): Int32Array {
  const filled = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    filled[byte] = crc;
  }
  for (let at = 256; at < filled.length; at++) {
    const crc = filled[at - 256] as number;
    filled[at] = (crc >>> 8) ^ (filled[crc & 0xff] as number);
  }
  return filled;
}
