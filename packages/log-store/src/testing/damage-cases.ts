import { PAGE_BYTES, SECTOR_BYTES } from "../format.ts";
import { type SoundDirectoryOptions, spoil } from "./damaged-directory.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** The segment file at this place, the oldest first; negative from the end. */
export function segmentPath(disk: MemoryDisk, at: number): string {
  return disk.files("/data/wal").at(at) ?? "";
}

/** A snapshot of term 2. */
export function snapshotPath(index: number): string {
  return `/data/snap/${index.toString(16).padStart(16, "0")}-0000000000000002.snap`;
}

function zero(disk: MemoryDisk, path: string, offset: number, length: number): void {
  disk.poke(path, disk.peek(path).fill(0, offset, offset + length));
}

/** Where the last batch of the newest segment stands: its page is the last one with anything in it. */
function lastBatch(disk: MemoryDisk): { readonly path: string; readonly offset: number } {
  const path = disk.files("/data/wal").findLast((name) => disk.peek(name).some((byte, at) => at >= 2 * PAGE_BYTES && byte !== 0)) ?? "";
  const bytes = disk.peek(path);
  let offset = bytes.length - PAGE_BYTES;
  while (bytes.subarray(offset, offset + PAGE_BYTES).every((byte) => byte === 0)) offset -= PAGE_BYTES;
  return { path, offset };
}

/** A directory, what happens to it, and what opening it must come to. */
export interface DamageCase {
  readonly what: string;
  readonly made: SoundDirectoryOptions;
  readonly damage: (disk: MemoryDisk) => void;
  readonly decision: string;
  /** Index of the snapshot that is used, 0 for none. */
  readonly snapshotIndex: number;
  /** Last entry that is there. */
  readonly lastIndex: number;
  /** First index that may be lost, null for no loss. */
  readonly lostFrom: number | null;
}

/** At least one for each row of the decision tables. */
export const damageCases: readonly DamageCase[] = [
  {
    what: "a log that was closed",
    made: { lastIndex: 10 },
    damage: () => {},
    decision: "L1 S3",
    snapshotIndex: 0,
    lastIndex: 10,
    lostFrom: null,
  },
  {
    what: "a log of a member that was killed",
    made: { lastIndex: 10, isKilled: true },
    damage: () => {},
    decision: "L2 S3",
    snapshotIndex: 0,
    lastIndex: 10,
    lostFrom: null,
  },
  {
    what: "a last batch whose second half was never written",
    made: { lastIndex: 10, isKilled: true },
    damage: (disk) => {
      const { path, offset } = lastBatch(disk);
      zero(disk, path, offset + SECTOR_BYTES, SECTOR_BYTES);
    },
    decision: "L3 S3",
    snapshotIndex: 0,
    lastIndex: 9,
    lostFrom: null,
  },
  {
    what: "a last batch whose beginning was never written",
    made: { lastIndex: 10, isKilled: true },
    damage: (disk) => {
      const { path, offset } = lastBatch(disk);
      zero(disk, path, offset, SECTOR_BYTES);
    },
    decision: "L4 S3",
    snapshotIndex: 0,
    lastIndex: 9,
    lostFrom: null,
  },
  {
    what: "a last batch that is wrong",
    made: { lastIndex: 10, isKilled: true },
    damage: (disk) => {
      const { path, offset } = lastBatch(disk);
      spoil(disk, path, offset + 100);
    },
    decision: "L5 S3",
    snapshotIndex: 0,
    lastIndex: 9,
    lostFrom: 10,
  },
  {
    what: "damage between sound segments",
    made: { lastIndex: 14 },
    damage: (disk) => spoil(disk, segmentPath(disk, 1), 3 * PAGE_BYTES + 100),
    decision: "L6 L1 S4",
    snapshotIndex: 0,
    lastIndex: 4,
    lostFrom: 5,
  },
  {
    what: "damage between sound segments, below a snapshot",
    made: { lastIndex: 14, snapshots: [13] },
    damage: (disk) => spoil(disk, segmentPath(disk, 0), 3 * PAGE_BYTES + 100),
    decision: "L7 L1 S1",
    snapshotIndex: 13,
    lastIndex: 14,
    lostFrom: null,
  },
  {
    what: "a segment that is gone",
    made: { lastIndex: 14 },
    damage: (disk) => disk.lose(segmentPath(disk, 1)),
    decision: "L8 L1 S4",
    snapshotIndex: 0,
    lastIndex: 3,
    lostFrom: 4,
  },
  {
    what: "a last segment that is cut off",
    made: { lastIndex: 10 },
    damage: (disk) => disk.poke(segmentPath(disk, -1), disk.peek(segmentPath(disk, -1)).subarray(0, 9_000)),
    decision: "L8 S3",
    snapshotIndex: 0,
    lastIndex: 10,
    lostFrom: 11,
  },
  {
    what: "a segment without header, below a snapshot",
    made: { lastIndex: 14, snapshots: [13] },
    damage: (disk) => zero(disk, segmentPath(disk, 0), 0, 2 * PAGE_BYTES),
    decision: "L9 L1 S1",
    snapshotIndex: 13,
    lastIndex: 14,
    lostFrom: null,
  },
  {
    what: "a newest snapshot that is wrong, and an older one",
    made: { lastIndex: 12, snapshots: [5, 9] },
    damage: (disk) => spoil(disk, snapshotPath(9), 4_200),
    decision: "L1 S2",
    snapshotIndex: 5,
    lastIndex: 12,
    lostFrom: null,
  },
  {
    what: "a newest snapshot that is gone, and an older one",
    made: { lastIndex: 12, snapshots: [5, 9] },
    damage: (disk) => disk.lose(snapshotPath(9)),
    decision: "L1 S2",
    snapshotIndex: 5,
    lastIndex: 12,
    lostFrom: null,
  },
  {
    what: "a wrong snapshot and a log from the beginning",
    made: { lastIndex: 7, snapshots: [6] },
    damage: (disk) => spoil(disk, snapshotPath(6), 60),
    decision: "L1 S3",
    snapshotIndex: 0,
    lastIndex: 7,
    lostFrom: null,
  },
  {
    what: "two wrong snapshots and a log that was compacted",
    made: { lastIndex: 14, snapshots: [9, 12] },
    damage: (disk) => {
      spoil(disk, snapshotPath(9), 60);
      spoil(disk, snapshotPath(12), 60);
    },
    decision: "L1 S4",
    snapshotIndex: 0,
    lastIndex: 0,
    lostFrom: 1,
  },
  {
    what: "a snapshot and no log",
    made: { lastIndex: 14, snapshots: [9, 12] },
    damage: (disk) => {
      for (const path of disk.files("/data/wal")) disk.lose(path);
      disk.lose("/data/wal");
    },
    decision: "L8 S6",
    snapshotIndex: 12,
    lastIndex: 12,
    lostFrom: 13,
  },
  {
    what: "an old snapshot and a beginning of the log",
    made: { lastIndex: 14, snapshots: [3, 5] },
    damage: (disk) => {
      spoil(disk, snapshotPath(5), 4_200);
      spoil(disk, segmentPath(disk, 1), 3 * PAGE_BYTES + 10);
    },
    decision: "L6 L1 S4",
    snapshotIndex: 3,
    lastIndex: 6,
    lostFrom: 7,
  },
];
