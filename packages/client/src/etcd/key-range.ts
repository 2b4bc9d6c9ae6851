import { type Bytes, toBytes } from "../bytes.ts";

/**
 * Which keys: one, all that begin with a prefix, or all from `from` on (inclusive) up to `to` (exclusive; without it there is no end).
 * `{ prefix: "" }` is every key.
 */
export type KeyRange = Bytes | { readonly prefix: Bytes } | { readonly from: Bytes; readonly to?: Bytes };

/** As etcd's requests say it: an empty `rangeEnd` is the one key, a single zero byte every key from `key` on. */
export interface WireRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

const none = new Uint8Array(0);
const zero = new Uint8Array(1);
const one = Uint8Array.of(1);
/** It ends where it begins. */
const noKey: WireRange = { key: one, rangeEnd: one };

export function toWireRange(range: KeyRange): WireRange {
  if (typeof range === "string" || range instanceof Uint8Array) return { key: toBytes(range), rangeEnd: none };
  if ("prefix" in range) {
    const prefix = toBytes(range.prefix);
    return { key: prefix.length === 0 ? zero : prefix, rangeEnd: prefixEnd(prefix) };
  }
  const from = toBytes(range.from);
  const key = from.length === 0 ? zero : from;
  if (range.to === undefined) return { key, rangeEnd: zero };
  const to = toBytes(range.to);
  // No key is below these two ends, which on the wire mean something else.
  return to.length === 0 || (to.length === 1 && to[0] === 0) ? noKey : { key, rangeEnd: to };
}

/** The first key after all that begin with `prefix`; a single zero byte if there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  for (let last = prefix.length - 1; last >= 0; last--) {
    const byte = prefix[last] ?? 0;
    if (byte === 0xff) continue;
    const end = prefix.slice(0, last + 1);
    end[last] = byte + 1;
    return end;
  }
  return zero;
}

/** The smallest key after `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
