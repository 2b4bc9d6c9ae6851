import fc from "fast-check";
import { expect, test } from "vitest";
import { SnapshotFormatError } from "../snapshot-format.ts";
import { decodeSessions, encodedSessions, type SavedSession } from "./session-section.ts";

const results = fc
  .uniqueArray(fc.tuple(fc.maxSafeNat(), fc.uint8Array({ maxLength: 20 })), { selector: ([sequence]) => sequence, maxLength: 4 })
  .map((each) => new Map(each));
const session: fc.Arbitrary<SavedSession> = fc.record({
  usedAtMs: fc.maxSafeNat(),
  clientId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  forgottenBelow: fc.maxSafeNat(),
  results,
});
const sessions = fc.uniqueArray(session, { selector: ({ clientId }) => clientId, maxLength: 4 });
const time = fc.record({ nowMs: fc.maxSafeNat(), readingMs: fc.maxSafeNat() });

test("sessions come out of a snapshot as they went in, in their order", () => {
  fc.assert(
    fc.property(time, sessions, (now, all) => {
      expect([...encodedSessions(now, all)].map(decodeSessions)).toEqual([{ ...now, sessions: all }]);
    }),
  );
});

test("many sessions are several pieces", () => {
  const many = Array.from({ length: 5000 }, (_, at): SavedSession => ({ ...known, clientId: BigInt(at) }));
  const pieces = [...encodedSessions({ nowMs: 5, readingMs: 9 }, many)];
  expect(pieces.map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 13_456]);
  expect(pieces.flatMap((piece) => decodeSessions(piece).sessions)).toEqual(many);
});

const known: SavedSession = { clientId: 7n, usedAtMs: 5, forgottenBelow: 3, results: new Map([[3, new Uint8Array([1, 2])]]) };
const [bytes = new Uint8Array(0)] = encodedSessions({ nowMs: 5, readingMs: 9 }, [known]);

test("sessions that are cut off are refused", () => {
  const ends = Array.from(bytes.keys()).filter((end) => end !== 16);
  for (const end of ends) expect(() => decodeSessions(bytes.subarray(0, end))).toThrow(SnapshotFormatError);
});

test.each<readonly [string, (view: DataView) => void, RegExp]>([
  ["more results than there are", (view) => view.setUint32(16 + 24, 2), /cut off/],
  ["a result that is longer than what is left", (view) => view.setUint32(16 + 28 + 8, 3), /cut off/],
])("%s is refused", (_what, damage, message) => {
  const damaged = bytes.slice();
  damage(new DataView(damaged.buffer));
  expect(() => decodeSessions(damaged)).toThrow(message);
});
