/** State of the store beside its records that goes into snapshots. */
export interface SnapshotSection {
  /** ASCII, the same in all versions. */
  readonly name: string;
  /**
   * The state as of now in one or more pieces of about `sectionPieceBytes`, which are encoded when they are taken; the state may change
   * meanwhile. Equal states are equal pieces.
   */
  write(): IterableIterator<Uint8Array>;
  /**
   * Takes the next of the pieces that `write` made, in a table that was empty before the first. The bytes are valid within the call only.
   * @throws SnapshotFormatError if they can't be what `write` made.
   */
  read(piece: Uint8Array): void;
}

/** Far less than a chunk, so that none takes long to fill. */
export const sectionPieceBytes = 64 * 1024;
