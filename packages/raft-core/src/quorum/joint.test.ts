import fc from "fast-check";
import { expect, test } from "vitest";
import { isQuorum, reachedByQuorum, type VoterSets } from "./joint.ts";

const half = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 9 });
const voterSets: fc.Arbitrary<VoterSets> = fc.record({ voters: half, outgoing: half });
/** What each member has reached; few different values, so that members often agree. */
const reached = fc.array(fc.oneof(fc.nat(5), fc.nat(2 ** 48)), { minLength: 13, maxLength: 13 });

/** More than half of the members, counted one by one; nobody is asked in an empty half. */
function isMajorityByCounting(members: readonly number[], holds: (id: number) => boolean): boolean {
  return members.length === 0 || 2 * members.filter(holds).length > members.length;
}

function lookUp(values: readonly number[]): (id: number) => number {
  return (id) => values[id] ?? 0;
}

test("what both halves have reached is what counting every candidate value finds", () => {
  fc.assert(
    fc.property(voterSets, reached, (sets, values) => {
      const members = [...sets.voters, ...sets.outgoing];
      const isReached = (value: number): boolean =>
        [sets.voters, sets.outgoing].every((each) => isMajorityByCounting(each, (id) => lookUp(values)(id) >= value));
      const candidates = [0, ...members.map(lookUp(values))].filter(isReached);
      const expected = members.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...candidates);
      expect(reachedByQuorum(sets, lookUp(values))).toBe(expected);
    }),
  );
});

test("it makes no difference which half is called the outgoing one", () => {
  fc.assert(
    fc.property(voterSets, reached, ({ voters, outgoing }, values) => {
      const swapped = { voters: outgoing, outgoing: voters };
      expect(reachedByQuorum(swapped, lookUp(values))).toBe(reachedByQuorum({ voters, outgoing }, lookUp(values)));
      const isBig = (id: number): boolean => lookUp(values)(id) > 2;
      expect(isQuorum(swapped, isBig)).toBe(isQuorum({ voters, outgoing }, isBig));
    }),
  );
});

test("a half decides alone beside an empty one and beside itself", () => {
  fc.assert(
    fc.property(half, reached, (voters, values) => {
      const alone = reachedByQuorum({ voters, outgoing: [] }, lookUp(values));
      expect(reachedByQuorum({ voters, outgoing: voters }, lookUp(values))).toBe(alone);
      expect(reachedByQuorum({ voters: [], outgoing: voters }, lookUp(values))).toBe(alone);
    }),
  );
});

test("a member below the result may be anywhere below it", () => {
  fc.assert(
    fc.property(voterSets, reached, (sets, values) => {
      const result = reachedByQuorum(sets, lookUp(values));
      const lowered = values.map((value) => (value < result ? 0 : value));
      expect(reachedByQuorum(sets, lookUp(lowered))).toBe(result);
    }),
  );
});

test("something holds for a quorum if it holds for more than half of each half", () => {
  fc.assert(
    fc.property(voterSets, fc.array(fc.boolean(), { minLength: 13, maxLength: 13 }), (sets, holding) => {
      const holds = (id: number): boolean => holding[id] ?? false;
      expect(isQuorum(sets, holds)).toBe(isMajorityByCounting(sets.voters, holds) && isMajorityByCounting(sets.outgoing, holds));
    }),
  );
});

test("a small half after a large one does not see the large one's values", () => {
  const sets = { voters: [1, 2, 3, 4, 5, 6, 7], outgoing: [8] };
  expect(reachedByQuorum(sets, (id) => (id === 8 ? 3 : 10))).toBe(3);
  expect(reachedByQuorum(sets, (id) => (id === 8 ? 10 : 3))).toBe(3);
});
