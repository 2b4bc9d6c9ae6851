import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChangeTransition, Configuration, MemberOperation } from "../types.ts";
import { applyChange, type ChangeError, type ChangeResult, changeSimply, enterJoint, leaveJoint } from "./changer.ts";
import { EMPTY_CONFIGURATION, isTracked, isWellFormedConfiguration, trackedIds, votersOnly } from "./configuration.ts";

const NO_CONTEXT = new Uint8Array(0);
const EXPLICIT = { autoLeave: false };

const addVoter = (id: number): MemberOperation => ({ type: "addVoter", id });
const addLearner = (id: number): MemberOperation => ({ type: "addLearner", id });
const remove = (id: number): MemberOperation => ({ type: "remove", id });
const update = (id: number): MemberOperation => ({ type: "update", id });

/** What became of a change that must have worked. */
function changed(result: ChangeResult): { readonly configuration: Configuration; readonly started: readonly number[] } {
  if (!result.ok) throw new Error(`The change was refused with ${result.error}`);
  return result;
}

function after(result: ChangeResult): Configuration {
  return changed(result).configuration;
}

function refusedWith(error: ChangeError): ChangeResult {
  return { ok: false, error };
}

describe("a simple change", () => {
  test("may change no more than one voter, whatever it does to learners", () => {
    const current = votersOnly([1, 2, 3]);
    expect(changeSimply(current, [addVoter(4), addVoter(5)])).toEqual(refusedWith("more_than_one_voter"));
    expect(changeSimply(current, [addVoter(4), remove(3)])).toEqual(refusedWith("more_than_one_voter"));
    expect(changeSimply(current, [addLearner(2), addLearner(3)])).toEqual(refusedWith("more_than_one_voter"));
    const many = [addVoter(4), addLearner(5), addLearner(6), addLearner(7), remove(7)];
    expect(after(changeSimply(current, many))).toEqual({ ...votersOnly([1, 2, 3, 4]), learners: [5, 6] });
    expect(after(changeSimply(current, [remove(3), addVoter(3)]))).toEqual(current);
  });

  test("leaves somebody who votes", () => {
    expect(changeSimply(votersOnly([1]), [remove(1)])).toEqual(refusedWith("no_voters_left"));
    expect(changeSimply({ ...votersOnly([1]), learners: [2] }, [addLearner(1)])).toEqual(refusedWith("no_voters_left"));
    expect(changeSimply(EMPTY_CONFIGURATION, [addLearner(1)])).toEqual(refusedWith("no_voters_left"));
  });

  test("says nothing new if it is repeated", () => {
    const current = { ...votersOnly([1, 2]), learners: [3] };
    for (const again of [addVoter(2), addLearner(3), remove(9)]) {
      expect(changed(changeSimply(current, [again, again]))).toEqual({ ok: true, configuration: current, started: [] });
    }
  });

  test("turns a learner into a voter and back without starting it anew", () => {
    const current = { ...votersOnly([1, 2]), learners: [3] };
    const promoted = changed(changeSimply(current, [addVoter(3)]));
    expect(promoted).toMatchObject({ configuration: votersOnly([1, 2, 3]), started: [] });
    expect(changed(changeSimply(promoted.configuration, [addLearner(3)]))).toMatchObject({ configuration: current, started: [] });
  });

  test("changes nobody by an update, known or not", () => {
    const current = { ...votersOnly([1, 2]), learners: [3] };
    expect(changed(changeSimply(current, [update(1), update(3), update(9)]))).toMatchObject({ configuration: current, started: [] });
  });

  test("is nothing that nobody knows", () => {
    const unknown = { type: "promote", id: 1 } as unknown as MemberOperation;
    expect(() => changeSimply(votersOnly([1]), [unknown])).toThrow("Unexpected value");
  });

  test("ignores a member with the id 0", () => {
    const operations = [addVoter(1), remove(0), addVoter(0), addLearner(0), update(0)];
    expect(changed(changeSimply(EMPTY_CONFIGURATION, operations))).toMatchObject({ configuration: votersOnly([1]), started: [1] });
  });

  test("starts newcomers, also who was removed and added again, but nobody who ends up outside", () => {
    const current = { ...votersOnly([1, 2]), learners: [3] };
    const operations = [addVoter(10), addLearner(9), remove(3), addLearner(3), addLearner(7), remove(7), remove(2), addVoter(2)];
    expect(changed(changeSimply(current, operations)).started).toEqual([2, 3, 9, 10]);
  });
});

describe("a joint change", () => {
  test("keeps the voters it found, and remembers whether it is to be left by itself", () => {
    const current = votersOnly([1, 2, 3]);
    const entered = after(enterJoint(current, [remove(1), addVoter(4)], { autoLeave: true }));
    expect(entered).toEqual({ voters: [2, 3, 4], outgoing: [1, 2, 3], learners: [], learnersNext: [], autoLeave: true });
    expect(after(leaveJoint(entered))).toEqual(votersOnly([2, 3, 4]));
    expect(after(enterJoint(current, [], EXPLICIT))).toEqual({ ...current, outgoing: [1, 2, 3] });
  });

  test("is entered from a finished configuration with voters and left from a joint one", () => {
    const current = votersOnly([1, 2, 3]);
    const entered = after(enterJoint(current, [addVoter(4)], EXPLICIT));
    expect(enterJoint(entered, [addVoter(5)], EXPLICIT)).toEqual(refusedWith("already_joint"));
    expect(changeSimply(entered, [addVoter(5)])).toEqual(refusedWith("simple_while_joint"));
    expect(leaveJoint(current)).toEqual(refusedWith("not_joint"));
    expect(enterJoint(EMPTY_CONFIGURATION, [addVoter(1)], EXPLICIT)).toEqual(refusedWith("zero_voter_joint"));
    expect(enterJoint(current, [remove(1), addLearner(2), remove(3)], EXPLICIT)).toEqual(refusedWith("no_voters_left"));
  });

  test("makes a voter that is demoted a learner only when it is left", () => {
    const entered = changed(enterJoint(votersOnly([1, 2, 3]), [addLearner(3), addLearner(4)], EXPLICIT));
    expect(entered.configuration).toEqual({ voters: [1, 2], outgoing: [1, 2, 3], learners: [4], learnersNext: [3], autoLeave: false });
    expect(entered.started).toEqual([4]);
    const left = changed(leaveJoint(entered.configuration));
    expect(left).toMatchObject({ configuration: { ...votersOnly([1, 2]), learners: [3, 4] }, started: [] });
  });

  test("goes by the last word on each member, and forgets what came before", () => {
    const current = votersOnly([1, 2, 3]);
    const demotedThenKept = [addLearner(2), addVoter(2), addLearner(3), addLearner(3), remove(3), remove(3), addVoter(4), addLearner(4)];
    const entered = after(enterJoint(current, demotedThenKept, EXPLICIT));
    expect(entered).toEqual({ voters: [1, 2], outgoing: [1, 2, 3], learners: [4], learnersNext: [], autoLeave: false });
    expect(after(leaveJoint(entered))).toEqual({ ...votersOnly([1, 2]), learners: [4] });
  });

  test("goes on with an outgoing voter that is removed and added again, since it was sent entries all the time", () => {
    const { configuration, started } = changed(
      enterJoint(votersOnly([1, 2, 3]), [remove(2), addLearner(2), remove(3), addVoter(3)], EXPLICIT),
    );
    expect(configuration).toMatchObject({ voters: [1, 3], learnersNext: [2] });
    expect(started).toEqual([]);
  });
});

describe("a change in the log", () => {
  const current = votersOnly([1, 2, 3]);

  test("is simple if it is one operation without a word on the transition", () => {
    const result = applyChange(current, { transition: "auto", operations: [addVoter(4)], context: NO_CONTEXT });
    expect(after(result)).toEqual(votersOnly([1, 2, 3, 4]));
  });

  test("is joint if it is several operations, and then left by itself", () => {
    const result = applyChange(current, { transition: "auto", operations: [addVoter(4), remove(1)], context: NO_CONTEXT });
    expect(after(result)).toMatchObject({ voters: [2, 3, 4], outgoing: [1, 2, 3], autoLeave: true });
  });

  test("is joint with any number of operations if that is asked for", () => {
    for (const operations of [[], [addVoter(4)]]) {
      expect(after(applyChange(current, { transition: "implicit", operations, context: NO_CONTEXT })).autoLeave).toBe(true);
      const explicit = after(applyChange(current, { transition: "explicit", operations, context: NO_CONTEXT }));
      expect([explicit.outgoing, explicit.autoLeave]).toEqual([[1, 2, 3], false]);
    }
  });

  test("leaves the joint configuration if it is empty", () => {
    const joint = after(enterJoint(current, [remove(1)], EXPLICIT));
    expect(after(applyChange(joint, { transition: "auto", operations: [], context: NO_CONTEXT }))).toEqual(votersOnly([2, 3]));
  });
});

const operationTypes: readonly MemberOperation["type"][] = ["addVoter", "addLearner", "remove", "update"];

function operationsOn(idMin: number): fc.Arbitrary<MemberOperation[]> {
  return fc.array(fc.record({ type: fc.constantFrom(...operationTypes), id: fc.integer({ min: idMin, max: 6 }) }), { maxLength: 20 });
}

/** Where each member stands, looked at one by one: what is done to the others makes no difference to it. */
type Standing = "voter" | "learner" | "outside";

interface Membership {
  readonly standing: Standing;
  readonly isNew: boolean;
}

function performByMember(current: Configuration, operations: readonly MemberOperation[], isKept: boolean): Map<number, Membership> {
  const members = new Map<number, Membership>();
  for (const id of [...new Set([...current.voters, ...current.learners, ...operations.map((operation) => operation.id)])]) {
    const wasVoter = current.voters.includes(id);
    let standing: Standing = wasVoter ? "voter" : current.learners.includes(id) ? "learner" : "outside";
    let isNew = false;
    for (const { type } of operations.filter((operation) => operation.id === id && id !== 0)) {
      if (type === "update") continue;
      const isSentEntries = standing !== "outside" || (isKept && wasVoter);
      standing = type === "addVoter" ? "voter" : type === "addLearner" ? "learner" : "outside";
      isNew = standing !== "outside" && (isNew || !isSentEntries);
    }
    members.set(id, { standing, isNew });
  }
  return members;
}

/** A simple change is one that leaves nobody outgoing. */
function expectedResult(current: Configuration, operations: readonly MemberOperation[], outgoing: readonly number[]): ChangeResult {
  const members = [...performByMember(current, operations, outgoing.length > 0)].sort(([a], [b]) => a - b);
  const standing = (wanted: Standing): number[] => members.filter(([, member]) => member.standing === wanted).map(([id]) => id);
  const moved = members.filter(([id, member]) => current.voters.includes(id) !== (member.standing === "voter"));
  if (standing("voter").length === 0) return refusedWith("no_voters_left");
  if (outgoing.length === 0 && moved.length > 1) return refusedWith("more_than_one_voter");
  const learners = standing("learner").filter((id) => !outgoing.includes(id));
  const learnersNext = standing("learner").filter((id) => outgoing.includes(id));
  const started = members.filter(([, member]) => member.isNew).map(([id]) => id);
  return { ok: true, configuration: { voters: standing("voter"), outgoing, learners, learnersNext, autoLeave: false }, started };
}

const finished: fc.Arbitrary<Configuration> = fc
  .array(fc.constantFrom<Standing>("voter", "learner", "outside"), { minLength: 6, maxLength: 6 })
  .map((standings) => {
    const ids = (wanted: Standing): number[] => standings.flatMap((standing, place) => (standing === wanted ? [place + 1] : []));
    return { ...EMPTY_CONFIGURATION, voters: ids("voter"), learners: ids("learner") };
  })
  .filter((configuration) => configuration.voters.length > 0);

test("members are changed as if each were looked at alone", () => {
  fc.assert(
    fc.property(finished, operationsOn(0), (current, operations) => {
      expect(enterJoint(current, operations, EXPLICIT)).toEqual(expectedResult(current, operations, current.voters));
      expect(changeSimply(current, operations)).toEqual(expectedResult(current, operations, []));
    }),
    { numRuns: 500 },
  );
});

test("operations one by one lead where they lead together through a joint configuration", () => {
  fc.assert(
    fc.property(operationsOn(2), (operations) => {
      const oneByOne = operations.reduce((current, operation) => after(changeSimply(current, [operation])), votersOnly([1, 2, 3]));
      const together = after(leaveJoint(after(enterJoint(votersOnly([1, 2, 3]), operations, EXPLICIT))));
      expect(together).toEqual(oneByOne);
    }),
    { numRuns: 1000 },
  );
});

test("whatever changes are tried in a row, the configuration stays well-formed and newcomers are started", () => {
  const transition = fc.constantFrom<ChangeTransition>("auto", "implicit", "explicit");
  const change = fc.record({ transition, operations: operationsOn(0), context: fc.constant(NO_CONTEXT) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      let current = votersOnly([1, 2, 3]);
      for (const each of changes) {
        const before = JSON.stringify(current);
        const result = applyChange(current, each);
        expect(JSON.stringify(current)).toBe(before);
        if (!result.ok) continue;
        const next = result.configuration;
        expect(isWellFormedConfiguration(next)).toBe(true);
        expect(result.started.every((id) => isTracked(next, id))).toBe(true);
        const newcomers = trackedIds(next).filter((id) => !isTracked(current, id));
        expect(newcomers.filter((id) => !result.started.includes(id))).toEqual([]);
        current = next;
      }
    }),
    { numRuns: 300 },
  );
});

test("majorities before and after every step share a member", () => {
  const majorities = (voters: readonly number[]): readonly (readonly number[])[] =>
    subsets(voters).filter((subset) => 2 * subset.length > voters.length);
  const quorums = ({ voters, outgoing }: Configuration): readonly (readonly number[])[] =>
    outgoing.length === 0 ? majorities(voters) : majorities(voters).flatMap((a) => majorities(outgoing).map((b) => [...a, ...b]));
  const checkOverlap = (before: Configuration, next: Configuration): void => {
    for (const a of quorums(before)) for (const b of quorums(next)) expect(a.some((id) => b.includes(id))).toBe(true);
  };
  fc.assert(
    fc.property(finished, operationsOn(1), (current, operations) => {
      const simple = changeSimply(current, operations);
      if (simple.ok) checkOverlap(current, simple.configuration);
      const joint = enterJoint(current, operations, EXPLICIT);
      if (!joint.ok) return;
      checkOverlap(current, joint.configuration);
      checkOverlap(joint.configuration, after(leaveJoint(joint.configuration)));
    }),
    { numRuns: 40 },
  );
});

function subsets(ids: readonly number[]): readonly (readonly number[])[] {
  return ids.reduce<readonly (readonly number[])[]>((found, id) => [...found, ...found.map((subset) => [...subset, id])], [[]]);
}
