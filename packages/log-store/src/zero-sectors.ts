import { isZero, roundUp, SECTOR_BYTES } from "./format.ts";
import { ENTRY_PREFIX_BYTES } from "./frame.ts";

/**
 * Sectors of the disk that an entry's payload fills with nothing but zeros. A sector that a torn write lost reads as zeros too: only who
 * knows how many there were can tell. `payloadOffset` counts from the beginning of a page; `isPrefixZero` is about the bytes before the
 * data.
 * ```
 *      |        sector        |        sector        |
 * ... header | prefix | data ......................... | padding | next header ...
 *            ◄─────────────── payload ─────────────────────────►
 * ```
 */
export function zeroSectorsOf(data: Uint8Array, payloadOffset: number, isPrefixZero: boolean): number {
  const dataOffset = payloadOffset + ENTRY_PREFIX_BYTES;
  const end = roundUp(dataOffset + data.length, 8);
  let count = 0;
  const first = roundUp(isPrefixZero ? payloadOffset : dataOffset, SECTOR_BYTES);
  for (let sector = first; sector + SECTOR_BYTES <= end; sector += SECTOR_BYTES) {
    const from = sector - dataOffset;
    if (isZero(data, Math.max(0, from), Math.min(data.length, from + SECTOR_BYTES))) count += 1;
  }
  return count;
}

/** How many of the sectors that hold the bytes [from, to) are all zero. */
export function countZeroSectors(file: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let sector = from - (from % SECTOR_BYTES); sector < Math.min(to, file.length); sector += SECTOR_BYTES) {
    if (isZero(file, sector, Math.min(sector + SECTOR_BYTES, file.length))) count += 1;
  }
  return count;
}
