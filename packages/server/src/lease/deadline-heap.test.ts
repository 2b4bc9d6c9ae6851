import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Deadline, DeadlineHeap } from "./deadline-heap.ts";

type Step =
  | { readonly kind: "add"; readonly atMs: number }
  | { readonly kind: "remove"; readonly which: number }
  | { readonly kind: "move"; readonly which: number; readonly atMs: number }
  | { readonly kind: "take"; readonly nowMs: number };

const moment = fc.nat({ max: 100 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), atMs: moment }),
  fc.record({ kind: fc.constant("remove" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("move" as const), which: fc.nat(), atMs: moment }),
  fc.record({ kind: fc.constant("take" as const), nowMs: fc.nat({ max: 120 }) }),
);

interface Outcome {
  readonly expected: readonly Deadline<number>[];
  readonly taken: readonly Deadline<number>[];
}

const nothing: Outcome = { expected: [], taken: [] };

/** Takes everything that is due, as moments in ascending order. */
function takeAll(heap: DeadlineHeap<number>, nowMs: number): readonly Deadline<number>[] {
  const taken: Deadline<number>[] = [];
  for (let due = heap.takeDue(nowMs); due !== null; due = heap.takeDue(nowMs)) taken.push(due);
  return taken;
}

/** Does a step with the heap and with a plain list. Gives what should have been taken by it and what was. */
function run(heap: DeadlineHeap<number>, model: Deadline<number>[], at: number, next: Step): Outcome {
  if (next.kind === "add") {
    const deadline = new Deadline(at, next.atMs);
    model.push(deadline);
    heap.add(deadline);
    return nothing;
  }
  if (next.kind === "take") {
    const expected = model.filter(({ atMs }) => atMs <= next.nowMs);
    for (const deadline of expected) model.splice(model.indexOf(deadline), 1);
    return { expected, taken: takeAll(heap, next.nowMs) };
  }
  const deadline = model[next.which % Math.max(model.length, 1)];
  if (deadline === undefined) return nothing;
  if (next.kind === "move") heap.move(deadline, next.atMs);
  else {
    model.splice(model.indexOf(deadline), 1);
    heap.remove(deadline);
  }
  return nothing;
}

describe("a heap of deadlines", () => {
  test("gives up exactly those that are due, however they were moved and taken out before", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new DeadlineHeap<number>();
        const model: Deadline<number>[] = [];
        for (const [at, next] of steps.entries()) {
          const { expected, taken } = run(heap, model, at, next);
          expect(new Set(taken)).toEqual(new Set(expected));
          expect(heap.size).toBe(model.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("gives them up in the order of their moments when none was moved", () => {
    const heap = new DeadlineHeap<number>();
    for (let at = 0; at < 1_000; at++) heap.add(new Deadline(at, (at * 7_919) % 1_000));
    expect(takeAll(heap, 1_000).map(({ atMs }) => atMs)).toEqual(Array.from({ length: 1_000 }, (_, atMs) => atMs));
  });

  test("lets one be taken out twice, and be added again", () => {
    const heap = new DeadlineHeap<string>();
    const deadline = new Deadline("lease", 5);
    heap.add(deadline);
    heap.remove(deadline);
    heap.remove(deadline);
    expect(heap.takeDue(10)).toBeNull();
    deadline.atMs = 3;
    heap.add(deadline);
    expect(heap.takeDue(2)).toBeNull();
    expect(heap.takeDue(3)).toBe(deadline);
  });

  test("forgets all of them at once", () => {
    const heap = new DeadlineHeap<string>();
    const deadline = new Deadline("lease", 5);
    heap.add(deadline);
    heap.clear();
    expect(heap.size).toBe(0);
    heap.remove(deadline);
    heap.add(deadline);
    expect(heap.takeDue(5)).toBe(deadline);
  });
});
