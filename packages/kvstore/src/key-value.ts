/**
 * What is stored under a key, as etcd's mvccpb.KeyValue. The bytes belong to whoever was given the object; short ones are parts of
 * a larger buffer, as Node's are, so what is kept for long is better copied.
 */
export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Revision of the write that created the key. */
  readonly createRevision: number;
  /** Revision of the last write to the key. */
  readonly modRevision: number;
  /** Writes since the key was created, 1 for the first. */
  readonly version: number;
  /** The attached lease, a signed 64-bit id, 0n for none. */
  readonly lease: bigint;
}

/**
 * A record where it lies, for encoders. Valid only within the visit that shows it: afterwards every access fails an assertion.
 * The byte arrays of `keyView` and `valueView` are not to be kept or written; the next write to the store may change them.
 */
export interface KeyValueView {
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** The halves of the 64-bit lease id as signed 32-bit numbers, both 0 for none. */
  readonly leaseHigh: number;
  readonly leaseLow: number;
  readonly keyLength: number;
  /** 0 if the query asked for keys only. */
  readonly valueLength: number;
  keyView(): Uint8Array;
  valueView(): Uint8Array;
  /** Copies all bytes of the key to `target`, which must have room from `offset` on. */
  copyKey(target: Uint8Array, offset: number): void;
  copyValue(target: Uint8Array, offset: number): void;
  /** A copy that may be kept. */
  toKeyValue(): KeyValue;
}
