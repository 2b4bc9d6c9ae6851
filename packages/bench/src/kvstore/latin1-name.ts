/** A key as a string of Latin-1, one character for each byte: such strings are in the order of their bytes. */
export function latin1Name(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}
