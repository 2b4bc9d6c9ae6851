import fc from "fast-check";
import { expect, test } from "vitest";
import { SnapshotFormatError } from "../snapshot-format.ts";
import type { Lease } from "./lease.ts";
import { decodeLeases, encodedLeases } from "./lease-section.ts";

const lease: fc.Arbitrary<Lease> = fc
  .record({
    id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((id) => id !== 0n),
    ttlSeconds: fc.integer({ min: 1, max: 9_000_000_000 }),
    grantNumber: fc.maxSafeNat(),
    remainingSeconds: fc.nat(),
  })
  .map((each) => ({ ...each, remainingSeconds: Math.min(each.remainingSeconds, each.ttlSeconds) }));
const leases = fc.uniqueArray(lease, { selector: ({ id }) => id, maxLength: 5 });

test("leases come out of a snapshot as they went in", () => {
  fc.assert(
    fc.property(leases, (all) => {
      expect([...encodedLeases(all)].flatMap(decodeLeases)).toEqual(all);
    }),
  );
});

test("many leases are several pieces, and none is one", () => {
  const many = Array.from({ length: 5000 }, (_, at): Lease => ({ ...one, id: BigInt(at + 1) }));
  const pieces = [...encodedLeases(many)];
  expect(pieces.map(({ length }) => length)).toEqual([65_536, 65_536, 28_928]);
  expect(pieces.flatMap(decodeLeases)).toEqual(many);
  expect([...encodedLeases([])]).toEqual([new Uint8Array(0)]);
});

function pieceOf(leases: readonly Lease[]): Uint8Array {
  const [piece, ...others] = encodedLeases(leases);
  if (piece === undefined || others.length > 0) throw new Error("A few leases are one piece");
  return piece;
}

const one: Lease = { id: 1n, ttlSeconds: 60, grantNumber: 2, remainingSeconds: 60 };

test.each<readonly [string, readonly Lease[], RegExp]>([
  ["a lease without an id", [{ ...one, id: 0n }], /A lease has id 0/],
  ["more time than there is", [{ ...one, remainingSeconds: 61 }], /Lease 1 has 61 of 60 seconds left/],
])("%s is refused", (_what, all, message) => {
  const bytes = pieceOf(all);
  expect(() => decodeLeases(bytes)).toThrow(SnapshotFormatError);
  expect(() => decodeLeases(bytes)).toThrow(message);
});

test("leases that are cut off are refused", () => {
  const bytes = pieceOf([one, { ...one, id: 2n }]);
  const ends = Array.from(bytes.keys()).filter((end) => end % 32 !== 0);
  for (const end of ends) expect(() => decodeLeases(bytes.subarray(0, end))).toThrow(SnapshotFormatError);
});
