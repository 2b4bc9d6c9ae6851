import { orderOfBytes } from "../byte-order.ts";

/** Which keys are watched. The bytes belong to the span. */
export type KeySpan =
  | { readonly kind: "key"; readonly key: Uint8Array }
  /** From `start` on and below `end`, null for no end. */
  | { readonly kind: "range"; readonly start: Uint8Array; readonly end: Uint8Array | null };

const smallestKey = Uint8Array.of(0);

/**
 * What `key` and `range_end` of a request mean, copied: with an empty end the key alone, with a single byte 0 all keys from `key` on,
 * otherwise those below the end. An empty key stands for the smallest one. Null if no key can lie in between.
 */
export function keySpanOf(key: Uint8Array, rangeEnd: Uint8Array): KeySpan | null {
  const start = key.length === 0 ? smallestKey : key.slice();
  if (rangeEnd.length === 0) return { kind: "key", key: start };
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) return { kind: "range", start, end: null };
  return orderOfBytes(start, rangeEnd) < 0 ? { kind: "range", start, end: rangeEnd.slice() } : null;
}

/** Bytes of the keys that the span holds. */
export function spanBytes(span: KeySpan): number {
  return span.kind === "key" ? span.key.length : span.start.length + (span.end?.length ?? 0);
}
