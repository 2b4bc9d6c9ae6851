import fc from "fast-check";
import { expect, test } from "vitest";
import { majorityOf, reachedByMajority } from "./majority.ts";

const values = fc.array(fc.nat(20), { minLength: 1, maxLength: 9 });

test("the value reached by a majority is what counting every candidate value finds", () => {
  fc.assert(
    fc.property(values, (members) => {
      const reached = (value: number): boolean => members.filter((member) => member >= value).length >= majorityOf(members.length);
      const expected = Math.max(...[0, ...members].filter(reached));
      expect(reachedByMajority([...members])).toBe(expected);
    }),
  );
});

test("nobody reaches anything where there are no members", () => {
  expect(reachedByMajority([])).toBe(0);
});
