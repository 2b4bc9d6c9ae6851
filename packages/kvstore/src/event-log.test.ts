import { beforeEach, describe, expect, test } from "vitest";
import { EventLog } from "./event-log.ts";

let log: EventLog;
/** Revision 2 with the versions 11 and 12, revision 3 with 13, revision 4 with 14, 15 and 16. */
beforeEach(() => {
  log = new EventLog(1);
  for (const versions of [[11, 12], [13], [14, 15, 16]]) {
    log.beginRevision();
    for (const version of versions) log.append(version);
  }
  return () => log.verify(() => {});
});

function versionsOf(revision: number): number[] {
  const start = log.start(revision);
  return Array.from({ length: log.count(start, log.start(revision + 1)) }, (_, i) => log.at(start + i));
}

function kept(): number[] {
  const versions: number[] = [];
  log.verify((version) => versions.push(version));
  return versions;
}

describe("an event log", () => {
  test("has the versions of each revision in their order", () => {
    expect([log.firstRevision, log.lastRevision]).toEqual([1, 4]);
    expect([1, 2, 3, 4].map(versionsOf)).toEqual([[], [11, 12], [13], [14, 15, 16]]);
  });

  test("follows a version that moves, and forgets one that is freed", () => {
    log.replace(2, 3, -99);
    log.replace(4, 4, 0);
    expect([versionsOf(3), versionsOf(4), kept()]).toEqual([[-99], [14, 0, 16], [11, 12, -99, 14, 16]]);
  });

  test("forgets revisions, and does not mind versions of those that move", () => {
    log.forgetRevisionsBefore(3);
    expect([log.firstRevision, log.at(0), log.at(1), kept()]).toEqual([3, 0, 0, [13, 14, 15, 16]]);
    log.replace(0, 2, 77);
    log.replace(3, 2, 77);
    expect(kept()).toEqual([13, 14, 15, 16]);
    expect([3, 4].map(versionsOf)).toEqual([[13], [14, 15, 16]]);
  });

  test("forgets freed events at its front with the revisions before them", () => {
    log.replace(3, 4, 0);
    log.replace(4, 4, 0);
    const { usedBytes } = log;
    log.forgetRevisionsBefore(4);
    expect([log.firstRevision, versionsOf(4)]).toEqual([4, [0, 0, 16]]);
    expect(usedBytes - log.usedBytes).toBe(5 * 4 + 3 * (4 + 8));
  });

  test("adds up what compactions free", () => {
    log.addFreeable(10);
    log.beginRevision();
    log.append(17);
    log.addFreeable(5);
    log.addFreeable(1);
    expect([3, 4, 5].map((revision) => log.freeableBytes(revision))).toEqual([0, 10, 16]);
  });

  test("begins after its first revision, whatever that is", () => {
    log = new EventLog(2 ** 52);
    expect([log.firstRevision, log.lastRevision, versionsOf(2 ** 52)]).toEqual([2 ** 52, 2 ** 52, []]);
    log.beginRevision();
    expect(log.append(1)).toBe(0);
    expect(versionsOf(2 ** 52 + 1)).toEqual([1]);
  });
});

describe("places for events", () => {
  beforeEach(() => {
    log = new EventLog(7);
  });

  test("are filled in any order", () => {
    log.openPlaces(9, 5);
    const events: readonly [number, number, number][] = [
      [4, 9, 25],
      [1, 8, 22],
      [3, 9, 24],
      [0, 7, 21],
      [2, 8, 23],
    ];
    for (const [number, revision, version] of events) expect(log.place(number, revision, version)).toBe(true);
    log.placeFreeable(9, 100);
    log.placeFreeable(8, 1);
    expect(log.closePlaces()).toBe(true);
    expect([7, 8, 9].map(versionsOf)).toEqual([[21], [22, 23], [24, 25]]);
    expect([7, 8, 9].map((revision) => log.freeableBytes(revision))).toEqual([0, 1, 101]);
    log.beginRevision();
    expect(log.append(26)).toBe(5);
  });

  test("may stay empty for the first revision, whose versions may be freed", () => {
    log.openPlaces(8, 4);
    log.place(1, 7, 21);
    log.place(3, 8, 22);
    expect(log.closePlaces()).toBe(true);
    expect([7, 8].map(versionsOf)).toEqual([[0, 21, 0], [22]]);
  });

  test("are not taken twice", () => {
    log.openPlaces(8, 2);
    expect([log.place(1, 8, 21), log.place(1, 8, 22)]).toEqual([true, false]);
  });

  const incomplete: readonly (readonly [string, number, readonly (readonly [number: number, revision: number])[]])[] = [
    [
      "a revision without events",
      9,
      [
        [0, 8],
        [1, 8],
        [2, 8],
      ],
    ],
    [
      "a hole behind the first revision",
      8,
      [
        [2, 8],
        [0, 8],
      ],
    ],
  ];
  test.each(incomplete)("do not close with %s", (_, revision, events) => {
    log.openPlaces(revision, 3);
    for (const [number, of] of events) expect(log.place(number, of, 21)).toBe(true);
    expect(log.closePlaces()).toBe(false);
    log = new EventLog(1);
  });
});
