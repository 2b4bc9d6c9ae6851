import fc from "fast-check";

/** Edges of varint lengths and of number ranges, which come often. */
const edges = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 2 ** 49, Number.MAX_SAFE_INTEGER];
/** With the usual prototype, as decoders make their objects. */
export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

export const uint = fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat());
export const int = fc.oneof(uint, fc.constantFrom(...edges.map((edge) => 0 - edge)), fc.maxSafeInteger()).map((value) => value + 0);
export const int32 = fc.integer();
export const uint64 = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
export const int64 = fc.oneof(
  fc.constantFrom(0n, -1n, -(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
export const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 120, max: 300 }).map((length) => new Uint8Array(length).fill(length)),
);
export const text = fc.string({ unit: "grapheme", maxLength: 12 });
export const bool = fc.boolean();

export const header = record({ clusterId: uint64, memberId: uint64, revision: int.filter((value) => value !== 0), raftTerm: uint });
export const keyValue = record({ key: bytes, value: bytes, createRevision: int, modRevision: int, version: int, lease: int64 });
export const keyValues = fc.array(keyValue, { maxLength: 4 });
