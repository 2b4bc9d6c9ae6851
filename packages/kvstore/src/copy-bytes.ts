/** Up to here a loop is faster than a view and `set`. */
const loopBytesMax = 48;

/** Copies `length` bytes of `source` from `start` on to `offset`. @throws RangeError if the target ends before. */
export function copyBytes(source: Uint8Array, start: number, length: number, target: Uint8Array, offset: number): void {
  if (offset + length > target.length) {
    throw new RangeError(`${length} bytes at offset ${offset} are more than the ${target.length} bytes of the target`);
  }
  if (length > loopBytesMax) {
    target.set(source.subarray(start, start + length), offset);
    return;
  }
  for (let i = 0; i < length; i++) target[offset + i] = source[start + i] as number;
}
