import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NumberLog } from "./number-log.ts";

const chunkLength = 16_384;

describe("a number log", () => {
  test.each([0, 7, -3, 2 ** 32 - 5, 2 ** 52])("does what an array does from position %i on", (first) => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("push"), number: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }),
      fc.record({ kind: fc.constantFrom("set", "forget"), number: fc.integer({ min: 0, max: 2 ** 31 - 1 }) }),
      fc.record({ kind: fc.constant("extend"), number: fc.constantFrom(1, 2 * chunkLength, 3 * chunkLength + 1) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const log = new NumberLog("int32", first);
        const naive: number[] = [];
        let start = first;
        for (const { kind, number } of steps) {
          if (kind === "push") {
            log.push(number);
            naive.push(number);
          } else if (kind === "extend") {
            log.extend(number);
            naive.push(...new Array<number>(number).fill(0));
          } else if (naive.length > 0) {
            const place = number % naive.length;
            if (kind === "set") {
              log.set(start + place, number);
              naive[place] = number;
            } else {
              log.forgetBefore(start + place);
              naive.splice(0, place);
              start += place;
            }
          }
        }
        expect([log.first, log.end, log.length]).toEqual([start, start + naive.length, naive.length]);
        const places = naive.length > chunkLength ? [0, 1, chunkLength - 1, chunkLength, naive.length - 1] : [...naive.keys()];
        expect(places.map((place) => log.at(start + place))).toEqual(places.map((place) => naive[place]));
        expect([log.has(start - 1), log.has(start + naive.length), log.has(start)]).toEqual([false, false, naive.length > 0]);
      }),
      { numRuns: 60 },
    );
  });

  test("keeps doubles as they are", () => {
    const log = new NumberLog("double", 0);
    log.push(2 ** 53 - 1);
    log.push(0.5);
    expect([log.at(0), log.at(1)]).toEqual([2 ** 53 - 1, 0.5]);
    expect([log.usedBytes, log.reservedBytes]).toEqual([16, chunkLength * 8]);
  });

  test("is found by the low 32 bits of a position, too", () => {
    const first = 2 ** 32 - 2;
    const log = new NumberLog("int32", first);
    for (let i = 0; i < 5; i++) log.push(i);
    expect([-2, -1, 0, 1, 2].map((low) => [log.has(low), log.at(low)])).toEqual([0, 1, 2, 3, 4].map((each) => [true, each]));
    expect([log.has(-3), log.has(3)]).toEqual([false, false]);
  });

  test("has memory only for chunks that are written and not forgotten", () => {
    const log = new NumberLog("int32", 0);
    log.extend(10 * chunkLength);
    expect(log.reservedBytes).toBe(0);
    for (let position = 0; position < log.end; position += chunkLength) log.set(position, 1);
    expect(log.reservedBytes).toBe(10 * chunkLength * 4);
    log.forgetBefore(7 * chunkLength - 1);
    expect(log.reservedBytes).toBe(4 * chunkLength * 4);
    log.forgetBefore(10 * chunkLength);
    expect([log.length, log.usedBytes, log.reservedBytes]).toEqual([0, 0, 0]);
    log.push(5);
    expect(log.at(10 * chunkLength)).toBe(5);
  });

  test("does not forget what is not there", () => {
    const log = new NumberLog("int32", 5);
    log.push(1);
    for (const position of [4, 7]) expect(() => log.forgetBefore(position)).toThrow("Only numbers that are there are forgotten");
  });
});
