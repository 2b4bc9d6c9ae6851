import type { ApplyJob, LogEntry } from "@raftkv/raft-core";
import { describe, expect, test } from "vitest";
import { ApplyQueue } from "./apply-queue.ts";

function job(from: number, to: number): ApplyJob {
  const entries = Array.from({ length: to - from + 1 }, (_, at): LogEntry => {
    return { index: from + at, term: 1, kind: "command", data: new Uint8Array(1) };
  });
  return { entries };
}

/** Each command takes a millisecond. */
function fixture(commandsPerEntry = 1) {
  let nowMs = 0;
  const done: number[] = [];
  let left = commandsPerEntry;
  const finished: number[] = [];
  const queue = new ApplyQueue({
    clock: { monotonicMs: () => nowMs },
    applier: {
      apply: ({ index }, commandsMax) => {
        const applied = Math.min(left, commandsMax);
        nowMs += applied;
        left -= applied;
        if (left > 0) return applied;
        left = commandsPerEntry;
        done.push(index);
        return applied;
      },
      get isInsideEntry() {
        return left < commandsPerEntry;
      },
    },
    onJobDone: ({ entries }, commands) => {
      finished.push(entries.at(-1)?.index ?? 0);
      expect(commands).toBe(entries.length * commandsPerEntry);
    },
  });
  return { queue, applied: done, finished, now: () => nowMs };
}

describe("committed entries", () => {
  test("are applied in order, job by job", () => {
    const { queue, applied, finished } = fixture();
    queue.add(job(1, 3));
    queue.add(job(4, 5));
    expect(queue.runUntil(100)).toBe(true);
    expect([applied, finished, queue.isEmpty]).toEqual([[1, 2, 3, 4, 5], [3, 5], true]);
  });

  test("are applied in slices when there are many", () => {
    const { queue, applied, finished, now } = fixture();
    queue.add(job(1, 1_000));
    let turns = 0;
    for (; !queue.isEmpty; turns++) {
      const startMs = now();
      queue.runUntil(startMs + 10);
      expect(now() - startMs).toBeLessThan(30);
    }
    expect(turns).toBeGreaterThan(30);
    expect([applied.length, finished]).toEqual([1_000, [1_000]]);
  });

  test("are applied in slices when they have many commands", () => {
    const { queue, applied, finished, now } = fixture(256);
    queue.add(job(1, 3));
    while (!queue.isEmpty) {
      const startMs = now();
      queue.runUntil(startMs);
      expect(now() - startMs).toBe(16);
    }
    expect([applied, finished]).toEqual([[1, 2, 3], [3]]);
  });

  test("get on a little in every turn, however late it is", () => {
    const { queue, applied } = fixture();
    queue.add(job(1, 100));
    queue.runUntil(-1);
    expect(applied.length).toBeGreaterThan(0);
  });

  test("are applied to the end if somebody can't wait", () => {
    const { queue, finished } = fixture();
    queue.add(job(1, 500));
    queue.runUntil(0);
    queue.add(job(501, 502));
    queue.finish();
    expect([finished, queue.isEmpty]).toEqual([[500, 502], true]);
  });

  test("of a job that the end of time falls on are reported, and the rest waits", () => {
    const { queue, finished } = fixture();
    queue.add(job(1, 10));
    queue.add(job(11, 20));
    expect(queue.runUntil(5)).toBe(false);
    expect([finished, queue.isEmpty]).toEqual([[10], false]);
  });
});
