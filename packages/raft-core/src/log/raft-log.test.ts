import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { votersOnly } from "../membership/configuration.ts";
import { entriesOf } from "../testing/test-cluster.ts";
import { RaftLog } from "./raft-log.ts";

const configuration = votersOnly([1, 2, 3]);
const ascendingTerms = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }).map((terms) => terms.sort((a, b) => a - b));

describe("hintAt", () => {
  test("is the largest index at or below the asked one whose term is not above the asked one", () => {
    fc.assert(
      fc.property(ascendingTerms, fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 7 }), (terms, index, term) => {
        const log = new RaftLog(null, entriesOf(terms), 0);
        let expected = Math.min(index, terms.length);
        while (expected > 0 && (terms[expected - 1] ?? 0) > term) expected--;
        expect(log.hintAt(index, term)).toBe(expected);
      }),
    );
  });

  test("stops below the compaction point, where no term is known", () => {
    const log = new RaftLog({ index: 5, term: 4, configuration }, entriesOf([4, 6], 6), 5);
    expect([log.hintAt(7, 3), log.hintAt(7, 4), log.hintAt(7, 5), log.hintAt(2, 9)]).toEqual([4, 6, 6, 2]);
    expect([log.termAt(4), log.termAt(5), log.termAt(8)]).toEqual([undefined, 4, undefined]);
  });
});

describe("merge", () => {
  test("gives the same log as replacing from the first entry that differs", () => {
    fc.assert(
      fc.property(ascendingTerms, ascendingTerms, fc.nat(40), (own, other, start) => {
        const from = Math.min(start, own.length);
        const floor = own[from - 1] ?? 0;
        const incoming = other.map((term) => Math.max(term, floor));
        const log = new RaftLog(null, entriesOf(own), 0);
        log.merge(entriesOf(incoming, from + 1));
        const differs = incoming.findIndex((term, place) => own[from + place] !== term);
        const expected = differs === -1 ? own : [...own.slice(0, from + differs), ...incoming.slice(differs)];
        expect(log.slice(1, log.lastIndex + 1, 2 ** 30).map((entry) => entry.term)).toEqual(expected);
      }),
    );
  });

  test("never replaces a committed entry", () => {
    const log = new RaftLog(null, entriesOf([1, 1, 1]), 2);
    expect(() => log.merge(entriesOf([2], 2))).toThrow("A committed entry is never replaced");
    log.merge(entriesOf([2], 3));
    expect(log.lastTerm).toBe(2);
  });
});

describe("entryAt", () => {
  test("knows what the log holds, and nothing before or after it", () => {
    const log = new RaftLog({ index: 5, term: 4, configuration }, entriesOf([4, 6], 6), 5);
    expect([5, 6, 7, 8].map((index) => log.entryAt(index)?.term)).toEqual([undefined, 4, 6, undefined]);
  });
});

describe("slice", () => {
  test("takes what fits and at least one entry", () => {
    const log = new RaftLog(null, entriesOf([1, 1, 1, 1]), 0);
    const lengths = [0, 1, 2, 3, 4, 5, 100].map((bytesMax) => log.slice(1, 5, bytesMax).length);
    expect(lengths).toEqual([1, 1, 1, 1, 2, 2, 4]);
    expect(log.slice(5, 5, 100)).toEqual([]);
  });
});

describe("a log kept behind its snapshot", () => {
  test("agrees with it, or the store is broken", () => {
    const snapshot = { index: 3, term: 2, configuration };
    expect(() => new RaftLog(snapshot, entriesOf([1, 1, 1]), 0)).toThrow("Log and snapshot agree on the snapshot's term");
    expect(() => new RaftLog(snapshot, entriesOf([2], 5), 0)).toThrow("The log begins at or before the entry after the applied one");
    expect(new RaftLog(snapshot, entriesOf([1, 1]), 0).lastIndex).toBe(3);
    expect(new RaftLog(snapshot, entriesOf([1, 1, 2, 2]), 0)).toMatchObject({
      firstIndex: 1,
      lastIndex: 4,
      commit: 3,
      applied: 3,
      durable: 4,
    });
  });
});

describe("a log of which a part was applied before there was a core", () => {
  const snapshot = { index: 3, term: 2, configuration };
  const applied = { index: 5, term: 2, configuration };

  test("begins where the state machine stands", () => {
    expect(new RaftLog(snapshot, entriesOf([3, 3], 6), 6, { applied })).toMatchObject({
      snapshot,
      firstIndex: 6,
      lastIndex: 7,
      commit: 6,
      applied: 5,
      durable: 7,
    });
    const empty = new RaftLog(snapshot, [], 5, { applied });
    expect([empty.firstIndex, empty.lastIndex, empty.lastTerm, empty.commit]).toEqual([6, 5, 2, 5]);
    expect(new RaftLog(snapshot, entriesOf([2, 2, 3], 4), 6, { applied })).toMatchObject({ firstIndex: 5, applied: 5, lastIndex: 6 });
  });

  test.each([
    ["without a snapshot", null, applied, 5, "What is applied lies behind a snapshot"],
    ["at the snapshot", snapshot, { ...applied, index: 3 }, 5, "What is applied lies behind a snapshot"],
    ["beyond the commit index", snapshot, applied, 4, "Only committed entries are applied"],
    ["before a gap", snapshot, { ...applied, index: 4 }, 5, "The log begins at or before the entry after the applied one"],
  ])("can't be: %s", (_, kept, start, commit, sentence) => {
    expect(() => new RaftLog(kept, entriesOf([3], 6), commit, { applied: start })).toThrow(sentence);
  });
});
