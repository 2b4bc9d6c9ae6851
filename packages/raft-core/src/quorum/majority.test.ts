import fc from "fast-check";
import { expect, test } from "vitest";
import { majorityOf, reachedByMajority } from "./majority.ts";
import { VoteTally } from "./vote-tally.ts";

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

test("an election is decided as soon as counting can't change it, by each voter's first answer", () => {
  const answers = fc.array(fc.record({ voter: fc.integer({ min: 1, max: 7 }), granted: fc.boolean() }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), answers, (size, given) => {
      const voters = Array.from({ length: size }, (_, place) => place + 1);
      const tally = new VoteTally(voters);
      const first = new Map<number, boolean>();
      for (const { voter, granted } of given) {
        if (voter <= size && !first.has(voter)) first.set(voter, granted);
        const counts = [...first.values()];
        const yes = counts.filter(Boolean).length;
        const no = counts.length - yes;
        const expected = yes > size / 2 ? "won" : no >= size / 2 ? "lost" : "pending";
        expect(tally.record(voter, granted)).toBe(expected);
      }
    }),
  );
});
