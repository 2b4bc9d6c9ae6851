/** The hash of a revision on its way, while writes go on. Compacted memory is not given back until it ends, so close it in any case. */
export interface HashRun {
  /** Takes on `keysMax` more keys. Returns the hash, an unsigned 32-bit number, or null while there are more. */
  step(keysMax: number): number | null;
  /** May be called twice, and after the end. */
  close(): void;
}
