import fc from "fast-check";
import { expect, test } from "vitest";
import type { Configuration } from "../types.ts";
import {
  allVoters,
  configurationsEqual,
  EMPTY_CONFIGURATION,
  isJoint,
  isLearner,
  isTracked,
  isVoter,
  isWellFormedConfiguration,
  normalized,
  trackedIds,
  votersOnly,
} from "./configuration.ts";

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 7 });
const configurations: fc.Arbitrary<Configuration> = fc.record({
  voters: ids,
  outgoing: ids,
  learners: ids,
  learnersNext: ids,
  autoLeave: fc.boolean(),
});

/** 2 is replaced by 4, 3 becomes a learner, 5 is one already. */
const joint: Configuration = { voters: [1, 4], outgoing: [1, 2, 3], learners: [5], learnersNext: [3], autoLeave: true };

test("a configuration of voters only lists them in order", () => {
  expect(votersOnly([10, 9, 1])).toEqual({ voters: [1, 9, 10], outgoing: [], learners: [], learnersNext: [], autoLeave: false });
});

test("it is joint while voters of another configuration count", () => {
  expect(isJoint(joint)).toBe(true);
  expect(isJoint(votersOnly([1, 2, 3]))).toBe(false);
  expect(isJoint(EMPTY_CONFIGURATION)).toBe(false);
});

test("outgoing voters and those that become learners are still voters, and no learners", () => {
  expect(allVoters(joint)).toEqual([1, 2, 3, 4]);
  expect([1, 2, 3, 4, 5, 6].filter((id) => isVoter(joint, id))).toEqual([1, 2, 3, 4]);
  expect([1, 2, 3, 4, 5, 6].filter((id) => isLearner(joint, id))).toEqual([5]);
  expect(trackedIds(joint)).toEqual([1, 2, 3, 4, 5]);
});

test("the lists of ids are ascending and hold exactly those asked for", () => {
  const everyId = Array.from({ length: 12 }, (_, place) => place + 1);
  fc.assert(
    fc.property(configurations, (configuration) => {
      expect(trackedIds(configuration)).toEqual(everyId.filter((id) => isTracked(configuration, id)));
      expect(allVoters(configuration)).toEqual(everyId.filter((id) => isVoter(configuration, id)));
    }),
  );
});

test("normalizing orders the lists of a copy, after which equal members make equal configurations", () => {
  fc.assert(
    fc.property(configurations, (configuration) => {
      const reversed: Configuration = {
        voters: configuration.voters.toReversed(),
        outgoing: configuration.outgoing.toReversed(),
        learners: configuration.learners.toReversed(),
        learnersNext: configuration.learnersNext.toReversed(),
        autoLeave: configuration.autoLeave,
      };
      const before = JSON.stringify(reversed);
      expect(configurationsEqual(normalized(reversed), normalized(configuration))).toBe(true);
      expect(normalized(normalized(reversed))).toEqual(normalized(reversed));
      expect(JSON.stringify(reversed)).toBe(before);
    }),
  );
});

test("a difference in any part makes configurations unequal", () => {
  const others: readonly Partial<Configuration>[] = [
    { voters: [1, 5] },
    { voters: [1] },
    { outgoing: [1, 2, 4] },
    { learners: [] },
    { learnersNext: [2] },
    { autoLeave: false },
  ];
  expect(others.filter((other) => configurationsEqual(joint, { ...joint, ...other }))).toEqual([]);
  expect(configurationsEqual(joint, { ...joint })).toBe(true);
});

test("what members can have agreed on is well-formed", () => {
  const good: readonly Configuration[] = [
    joint,
    { ...joint, autoLeave: false },
    votersOnly([1]),
    votersOnly([1, Number.MAX_SAFE_INTEGER]),
    { ...votersOnly([2, 3]), learners: [1] },
  ];
  expect(good.filter((configuration) => !isWellFormedConfiguration(configuration))).toEqual([]);
});

const malformed: readonly (readonly [string, Configuration])[] = [
  ["nobody votes", EMPTY_CONFIGURATION],
  ["only outgoing members vote", { ...joint, voters: [] }],
  ["an id is 0", { ...joint, voters: [0, 1] }],
  ["an id is negative", { ...joint, learners: [-5] }],
  ["an id is no integer", { ...joint, learners: [5.5] }],
  ["an id is no number", { ...joint, voters: [Number.NaN] }],
  ["an id is not exact", { ...joint, voters: [1, 2 ** 53] }],
  ["voters are out of order", { ...joint, voters: [4, 1] }],
  ["outgoing voters are out of order", { ...joint, outgoing: [1, 3, 2] }],
  ["a learner is named twice", { ...joint, learners: [5, 5] }],
  ["a future learner is named twice", { ...joint, learnersNext: [3, 3] }],
  ["a learner is a voter", { ...joint, learners: [4] }],
  ["a learner is an outgoing voter", { ...joint, learners: [2] }],
  ["a future learner does not vote now", { ...joint, learnersNext: [6] }],
  ["a future learner stays a voter", { ...joint, learnersNext: [1] }],
  ["learners wait for nothing", { ...votersOnly([1, 2, 3]), learnersNext: [3] }],
  ["there is nothing to leave", { ...votersOnly([1, 2, 3]), autoLeave: true }],
];

test.each(malformed)("a configuration is malformed if %s", (_, configuration) => {
  expect(isWellFormedConfiguration(configuration)).toBe(false);
});
