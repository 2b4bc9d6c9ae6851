/** State of the store beside its records that goes into snapshots. */
export interface SnapshotSection {
  /** ASCII, the same in all versions. */
  readonly name: string;
  /** The state as of now. Equal states are equal bytes. */
  write(): Uint8Array;
  /**
   * Takes what `write` made, once, into a table that is still empty. The bytes are valid within the call only.
   * @throws SnapshotFormatError if they can't be what `write` made.
   */
  read(bytes: Uint8Array): void;
}
