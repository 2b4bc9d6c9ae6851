/** The store's own bounds, above any request size that a server is expected to accept. */
export const keyBytesMax = 16 * 1024 * 1024;
export const valueBytesMax = 64 * 1024 * 1024;

/** @throws RangeError if a key is empty or too long. */
export function checkKey(key: Uint8Array): void {
  if (key.length < 1 || key.length > keyBytesMax) {
    throw new RangeError(`Key of ${key.length} bytes is not between 1 and ${keyBytesMax} bytes long`);
  }
}

/** @throws RangeError if a value is too long. */
export function checkValue(value: Uint8Array): void {
  if (value.length > valueBytesMax) throw new RangeError(`Value of ${value.length} bytes is above the limit of ${valueBytesMax} bytes`);
}
