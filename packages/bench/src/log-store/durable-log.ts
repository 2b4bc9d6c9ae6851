/** Something that keeps entries, one after another, and tells when each is on the disk. */
export interface DurableLog {
  /** Resolves when the entry is durable. Appends may overlap; the caller leaves the bytes unchanged. */
  append(entry: Uint8Array): Promise<void>;
  /** Since it was opened; null if it does not count them. */
  writes(): DurableWrites | null;
  close(): Promise<void>;
}

export interface DurableWrites {
  readonly count: number;
  /** What went to the disk for them, with all that stands around the entries. */
  readonly bytes: number;
}

/** A kind of log to compare. */
export interface LogSystem {
  readonly name: string;
  /** `directory` does not exist yet. Rejects if the system is not there on this machine. */
  open(directory: string): Promise<DurableLog>;
}
