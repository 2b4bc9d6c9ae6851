import type { CellRef } from "./cell-arena.ts";

/** What the cell of a version has, all read at once: one object for many versions, where asking field by field would take too long. */
export class LoadedVersion {
  createRevision = 0;
  modRevision = 0;
  /** 0 for a tombstone. */
  version = 0;
  leaseHigh = 0;
  leaseLow = 0;
  valueCell: CellRef = 0;
  valueLength = 0;
  /** The low 32 bits of the number of the event that made the version. */
  event = 0;
}
