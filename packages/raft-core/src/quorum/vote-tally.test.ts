import fc from "fast-check";
import { expect, test } from "vitest";
import { isQuorum, type VoterSets } from "./joint.ts";
import { type VoteOutcome, VoteTally } from "./vote-tally.ts";

interface Answer {
  readonly voter: number;
  readonly granted: boolean;
}

const answers = fc.array(fc.record({ voter: fc.integer({ min: 1, max: 9 }), granted: fc.boolean() }), { maxLength: 30 });
const half = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 7 });
const voterSets: fc.Arbitrary<VoterSets> = fc.record({ voters: half, outgoing: half });

function tallyOf(given: readonly Answer[]): VoteTally {
  const tally = new VoteTally();
  for (const { voter, granted } of given) tally.record(voter, granted);
  return tally;
}

/** Won if it would be won were everybody else to refuse, lost if it would be lost were everybody else to grant. */
function outcomeByImagining(sets: VoterSets, first: ReadonlyMap<number, boolean>): VoteOutcome {
  if (isQuorum(sets, (id) => first.get(id) ?? false)) return "won";
  return isQuorum(sets, (id) => first.get(id) ?? true) ? "pending" : "lost";
}

test("an election is decided as soon as no further answer can change it, by each voter's first answer", () => {
  fc.assert(
    fc.property(voterSets, answers, (sets, given) => {
      const tally = new VoteTally();
      const first = new Map<number, boolean>();
      for (const { voter, granted } of given) {
        tally.record(voter, granted);
        if (!first.has(voter)) first.set(voter, granted);
        expect(tally.outcome(sets)).toBe(outcomeByImagining(sets, first));
      }
    }),
    { numRuns: 400 },
  );
});

test("it makes no difference which half is called the outgoing one", () => {
  fc.assert(
    fc.property(voterSets, answers, ({ voters, outgoing }, given) => {
      const tally = tallyOf(given);
      expect(tally.outcome({ voters: outgoing, outgoing: voters })).toBe(tally.outcome({ voters, outgoing }));
    }),
  );
});

test("one lost half loses a joint election, one won half does not win it", () => {
  const sets = { voters: [1, 2, 3], outgoing: [4, 5, 6] };
  const wonByVoters = [1, 2].map((voter) => ({ voter, granted: true }));
  const lostByOutgoing = [4, 5].map((voter) => ({ voter, granted: false }));
  expect(tallyOf(wonByVoters).outcome(sets)).toBe("pending");
  expect(tallyOf(lostByOutgoing).outcome(sets)).toBe("lost");
  expect(tallyOf([...wonByVoters, ...lostByOutgoing]).outcome(sets)).toBe("lost");
  expect(tallyOf([...wonByVoters, { voter: 4, granted: true }, { voter: 6, granted: true }]).outcome(sets)).toBe("won");
});

test("votes count by who is a voter at the moment of counting", () => {
  const tally = tallyOf([
    { voter: 1, granted: true },
    { voter: 9, granted: true },
  ]);
  expect(tally.outcome({ voters: [1, 2, 3], outgoing: [] })).toBe("pending");
  expect(tally.outcome({ voters: [1, 2, 9], outgoing: [] })).toBe("won");
});

test("it tells how many of the members in question granted and refused", () => {
  fc.assert(
    fc.property(half, answers, (counted, given) => {
      const tally = tallyOf(given);
      const first = counted.map((id) => given.find((answer) => answer.voter === id)?.granted);
      expect(tally.counts((id) => counted.includes(id))).toEqual({
        granted: first.filter((granted) => granted === true).length,
        refused: first.filter((granted) => granted === false).length,
      });
    }),
  );
});
