/** What is measured: keys in byte order, each with a value. */
export interface OrderedStore {
  readonly name: string;
  /** Fills an empty store. The keys come in random order. */
  load(keys: readonly Uint8Array[], value: Uint8Array): void;
  /** Returns a number that depends on the record, 0 if there is none. */
  read(key: Uint8Array): number;
  /** Stores a key, new or not. */
  write(key: Uint8Array, value: Uint8Array): void;
  remove(key: Uint8Array): void;
  /** Visits up to `limit` records from `key` on, and returns how many there were. */
  scan(key: Uint8Array, limit: number): number;
  /** Does what the store has put off, so that the next round finds it as the last one did. */
  settle(): void;
}
