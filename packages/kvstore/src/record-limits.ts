/** The store's own bounds, above any request size that a server is expected to accept. */
export const keyBytesMax = 16 * 1024 * 1024;
export const valueBytesMax = 64 * 1024 * 1024;

/**
 * A key or value that the store does not take. Thrown before anything changes, and on every member alike; a class of its own, so
 * that it is not mistaken for the RangeError of a member that runs out of memory.
 */
export class RecordLimitError extends RangeError {
  override readonly name: string = "RecordLimitError";
}

/** @throws RecordLimitError if a key is empty or too long. */
export function checkKey(key: Uint8Array): void {
  if (key.length < 1 || key.length > keyBytesMax) {
    throw new RecordLimitError(`Key of ${key.length} bytes is not between 1 and ${keyBytesMax} bytes long`);
  }
}

/** @throws RecordLimitError if a value is too long. */
export function checkValue(value: Uint8Array): void {
  if (value.length > valueBytesMax) {
    throw new RecordLimitError(`Value of ${value.length} bytes is above the limit of ${valueBytesMax} bytes`);
  }
}
