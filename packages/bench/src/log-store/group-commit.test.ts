import { expect, test } from "vitest";
import { GroupCommit } from "./group-commit.ts";

/** A disk that takes a group only when it is told to. */
function heldDisk(): {
  readonly groups: number[][];
  readonly write: (entries: readonly Uint8Array[]) => Promise<void>;
  release(): Promise<void>;
} {
  const groups: number[][] = [];
  let held: (() => void) | null = null;
  return {
    groups,
    write: (entries) => {
      groups.push(entries.map((entry) => entry.length));
      return new Promise((resolve) => {
        held = resolve;
      });
    },
    async release() {
      held?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("what waits for a write makes the next group, up to its size", async () => {
  const disk = heldDisk();
  const commit = new GroupCommit(100, disk.write);
  const appends = [10, 40, 50, 20, 300, 1].map((length) => commit.append(new Uint8Array(length)));
  for (let group = 0; group < 5; group++) await disk.release();
  await Promise.all(appends);
  expect(disk.groups).toEqual([[10], [40, 50], [20], [300], [1]]);
  expect(commit.writes).toEqual({ count: 5, bytes: 421 });
});

test("a group that fails rejects alone", async () => {
  let calls = 0;
  const commit = new GroupCommit(100, () => (calls++ === 0 ? Promise.reject(new Error("full")) : Promise.resolve()));
  const outcomes = await Promise.allSettled([commit.append(new Uint8Array(1)), commit.append(new Uint8Array(1))]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
});
