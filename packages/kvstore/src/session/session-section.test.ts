import fc from "fast-check";
import { expect, test } from "vitest";
import { SnapshotFormatError } from "../snapshot-format.ts";
import type { Session } from "./session.ts";
import { decodeSessions, encodeSessions, type SessionState } from "./session-section.ts";

const results = fc
  .uniqueArray(fc.tuple(fc.maxSafeNat(), fc.uint8Array({ maxLength: 20 })), { selector: ([sequence]) => sequence, maxLength: 4 })
  .map((each) => new Map(each));
const session = fc.record({ clientId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), forgottenBelow: fc.maxSafeNat(), results });
const state: fc.Arbitrary<SessionState> = fc
  .record({
    readingMs: fc.maxSafeNat(),
    list: fc.uniqueArray(session, { selector: ({ clientId }) => clientId, maxLength: 4 }),
    ages: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
  })
  .map(({ readingMs, list, ages }) => {
    let nowMs = 0;
    const sessions = new Map<bigint, Session>();
    for (const [place, { clientId, ...each }] of list.entries()) {
      nowMs += ages[place] ?? 0;
      sessions.set(clientId, { ...each, usedAtMs: nowMs });
    }
    return { nowMs, readingMs, sessions };
  });

test("sessions come out of a snapshot as they went in, in their order", () => {
  fc.assert(
    fc.property(state, (all) => {
      const decoded = decodeSessions(encodeSessions(all));
      expect(decoded).toEqual(all);
      expect([...decoded.sessions.keys()]).toEqual([...all.sessions.keys()]);
    }),
  );
});

const known: Session = { usedAtMs: 5, forgottenBelow: 3, results: new Map([[3, new Uint8Array([1, 2])]]) };
const bytes = encodeSessions({ nowMs: 5, readingMs: 9, sessions: new Map([[7n, known]]) });

test("sessions that are cut off are refused", () => {
  const ends = Array.from(bytes.keys()).filter((end) => end !== 16);
  for (const end of ends) expect(() => decodeSessions(bytes.subarray(0, end))).toThrow(SnapshotFormatError);
});

test.each<readonly [string, (view: DataView) => void, RegExp]>([
  ["a session that was used later than now", (view) => view.setUint32(20 + 8, 6), /Use at 6 is not in order/],
  ["more results than there are", (view) => view.setUint32(16 + 24, 2), /cut off/],
  ["a result that is longer than what is left", (view) => view.setUint32(16 + 28 + 8, 3), /cut off/],
])("%s is refused", (_what, damage, message) => {
  const damaged = bytes.slice();
  damage(new DataView(damaged.buffer));
  expect(() => decodeSessions(damaged)).toThrow(message);
});

test("what comes twice is refused", () => {
  const twice = new Uint8Array(2 * bytes.length - 16);
  twice.set(bytes);
  twice.set(bytes.subarray(16), bytes.length);
  expect(() => decodeSessions(twice)).toThrow(/Client 7 comes twice/);
});
