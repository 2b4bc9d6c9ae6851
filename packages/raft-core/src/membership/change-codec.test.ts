import fc from "fast-check";
import { expect, test } from "vitest";
import type { ConfigurationChange } from "../types.ts";
import { decodeChange, encodeChange } from "./change-codec.ts";

const changes: fc.Arbitrary<ConfigurationChange> = fc.record({
  transition: fc.constantFrom("auto", "implicit", "explicit"),
  operations: fc.array(
    fc.record({
      type: fc.constantFrom("addVoter", "addLearner", "remove", "update"),
      id: fc.oneof(fc.nat(9), fc.maxSafeNat()),
    }),
    { maxLength: 6 },
  ),
  context: fc.uint8Array({ maxLength: 20 }),
});

const one: ConfigurationChange = {
  transition: "implicit",
  operations: [
    { type: "addLearner", id: 5 },
    { type: "remove", id: Number.MAX_SAFE_INTEGER },
  ],
  context: new Uint8Array([7, 8, 9]),
};

test("the layout is the one that is drawn", () => {
  const expected = [1, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 5, 2, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 7, 8, 9];
  expect([...encodeChange(one)]).toEqual(expected);
});

test("every kind of change comes back as it was, from anywhere in a larger buffer", () => {
  fc.assert(
    fc.property(changes, fc.nat(20), (change, offset) => {
      const bytes = encodeChange(change);
      const buffer = new Uint8Array(offset + bytes.length + 3).fill(0xee);
      buffer.set(bytes, offset);
      expect(decodeChange(buffer.subarray(offset, offset + bytes.length))).toEqual(change);
    }),
  );
});

test("nothing that is cut short or too long is a change", () => {
  fc.assert(
    fc.property(changes, fc.uint8Array({ minLength: 1, maxLength: 10 }), (change, excess) => {
      const bytes = encodeChange(change);
      for (let length = 0; length < bytes.length; length++) expect(decodeChange(bytes.subarray(0, length))).toBeUndefined();
      expect(decodeChange(new Uint8Array([...bytes, ...excess]))).toBeUndefined();
    }),
  );
});

test("damaged bytes are refused, or are exactly the bytes of another change", () => {
  const damage = fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(changes, damage, (change, places) => {
      const bytes = encodeChange(change);
      for (const { at, value } of places) bytes[at % bytes.length] = value;
      const decoded = decodeChange(bytes);
      expect(decoded === undefined ? bytes : encodeChange(decoded)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
});

test("any bytes at all are refused or are exactly the bytes of a change", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const decoded = decodeChange(bytes);
      expect(decoded === undefined ? bytes : encodeChange(decoded)).toEqual(bytes);
    }),
    { numRuns: 1000 },
  );
});

const malformed: readonly (readonly [string, number, number])[] = [
  ["another version", 0, 2],
  ["an unknown transition", 1, 3],
  ["more operations than there are bytes", 2, 0xff],
  ["more context than there are bytes", 6, 0xff],
  ["an unknown operation", 10, 4],
  ["an id that is not exact", 11, 0x20],
];

test.each(malformed)("%s is refused", (_, offset, value) => {
  const bytes = encodeChange(one);
  bytes[offset] = value;
  expect(decodeChange(bytes)).toBeUndefined();
});

test("an id that is not a safe integer is never written", () => {
  for (const id of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => encodeChange({ ...one, operations: [{ type: "addVoter", id }] })).toThrow("A change names members by safe integers");
  }
});
