/** Work that was given to a Compressor. */
export interface CompressionJob {
  /** The result is no longer wanted: `done` is not called any more. */
  cancel(): void;
}

/** What became of a compressed message. */
export type Inflated =
  | { readonly kind: "message"; readonly message: Uint8Array }
  /** It would have more bytes than were allowed; it was not inflated further. */
  | { readonly kind: "tooLarge" }
  /** Not what the encoding says: broken, cut off, or followed by something else. */
  | { readonly kind: "broken"; readonly reason: string };

/**
 * A message encoding (PROTOCOL-HTTP2, "Compression"). Works beside the event loop, on a bounded number of messages at a time, so that what
 * is being inflated stays bounded too. `done` is called once, never from within the call.
 */
export interface Compressor {
  /** As in `grpc-encoding`: `gzip`. */
  readonly encoding: string;
  /** Null if it did not work; the message then goes as it is. */
  compress(message: Uint8Array, done: (compressed: Uint8Array | null) => void): CompressionJob;
  /** Stops as soon as there are more than `bytesMax` (CVE-2024-37168). */
  inflate(compressed: Uint8Array, bytesMax: number, done: (result: Inflated) => void): CompressionJob;
}

/** Is the encoding in a list like `identity,deflate,gzip`? */
export function listsEncoding(list: string, encoding: string): boolean {
  return list.split(",").some((name) => name.trim() === encoding);
}
