import type { SimulatedDisk } from "../../disk/simulated-disk.ts";

const pageBytes = 4_096;
const headerBytes = 64;
/** Little-endian `RKF1`, with which a frame begins. */
const frameMagic = 0x31464b52;
const sealType = 3;

/** The frame that stands at the beginning of a page. */
export interface PageStart {
  readonly seq: bigint;
  readonly durableSeq: bigint;
  readonly term: bigint;
  readonly isSeal: boolean;
}

/** What the pages of a segment begin with, up to the page of `end`; pages that begin with no frame are left out. */
export function pageStarts(disk: SimulatedDisk, path: string, end = Number.MAX_SAFE_INTEGER): readonly PageStart[] {
  const file = disk.fileAt(path);
  const starts: PageStart[] = [];
  for (let offset = 0; offset <= end && offset + headerBytes <= file.sizeBytes; offset += pageBytes) {
    const bytes = file.read(offset, headerBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
    if (view.getUint32(0, true) !== frameMagic) continue;
    starts.push({
      seq: view.getBigUint64(16, true),
      durableSeq: view.getBigUint64(24, true),
      term: view.getBigUint64(40, true),
      isSeal: view.getUint8(52) === sealType,
    });
  }
  return starts;
}
