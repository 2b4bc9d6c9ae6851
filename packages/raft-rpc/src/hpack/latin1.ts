const piece = 4096;

/** `bytes` from `from` to `to`, one character per octet. */
export function readLatin1(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= piece) return fromCodes(bytes.subarray(from, to));
  let text = "";
  // In pieces: every octet becomes an argument, and arguments live on the stack.
  for (let at = from; at < to; at += piece) text += fromCodes(bytes.subarray(at, Math.min(at + piece, to)));
  return text;
}

function fromCodes(codes: Uint8Array): string {
  return String.fromCharCode.apply(null, codes as unknown as number[]);
}

/** One octet per character; the caller has checked that all are below 256. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  return bytes;
}
