import { describe, expect, test } from "vitest";
import { type CompactionPlan, PeriodicPlan, RevisionPlan } from "./compaction-plan.ts";

const minuteMs = 60_000;

/** Runs a plan with one revision in each step; returns when it compacted to which revision. */
function compactions(
  plan: CompactionPlan,
  steps: number,
  isDone: (step: number) => boolean = () => true,
): [step: number, revision: number][] {
  const done: [number, number][] = [];
  for (let step = 1; step <= steps; step++) {
    const nowMs = step * plan.stepMs;
    const revision = plan.due(nowMs, 100 + step);
    if (revision === null || !isDone(step)) continue;
    done.push([step, revision]);
    plan.compacted(nowMs);
  }
  return done;
}

describe("a periodic plan", () => {
  test("compacts after the first period, and then after each, to where the store was a period ago", () => {
    const plan = new PeriodicPlan(10 * minuteMs, { nowMs: 0, revision: 100 });
    expect(plan.stepMs).toBe(minuteMs);
    expect(compactions(plan, 35)).toEqual([
      [10, 100],
      [20, 110],
      [30, 120],
    ]);
  });

  test("of more than an hour compacts every hour", () => {
    const plan = new PeriodicPlan(180 * minuteMs, { nowMs: 0, revision: 100 });
    expect(plan.stepMs).toBe(6 * minuteMs);
    expect(compactions(plan, 50)).toEqual([
      [30, 100],
      [40, 110],
      [50, 120],
    ]);
  });

  test("stays due until it is done", () => {
    const plan = new PeriodicPlan(10 * minuteMs, { nowMs: 0, revision: 100 });
    expect(compactions(plan, 25, (step) => step >= 13)).toEqual([
      [13, 103],
      [23, 113],
    ]);
  });

  test("does nothing where nothing was written", () => {
    const plan = new PeriodicPlan(10 * minuteMs, { nowMs: 0, revision: 5 });
    let count = 0;
    for (let step = 1; step <= 100; step++) {
      if (plan.due(step * minuteMs, 5) === null) continue;
      count++;
      plan.compacted(step * minuteMs);
    }
    expect(count).toBe(1);
  });
});

describe("a plan of revisions", () => {
  test("looks every five minutes, and keeps as many", () => {
    const plan = new RevisionPlan(100);
    expect(plan.stepMs).toBe(5 * minuteMs);
    expect(plan.due(0, 90)).toBe(null);
    expect(plan.due(0, 100)).toBe(null);
    expect(plan.due(0, 150)).toBe(50);
    expect(plan.due(0, 160)).toBe(60);
    plan.compacted();
    expect(plan.due(0, 160)).toBe(null);
    expect(plan.due(0, 161)).toBe(61);
  });
});
