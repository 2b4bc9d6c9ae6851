import type { LogEntry } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { placeAmong, SnapshotPolicy } from "./snapshot-policy.ts";

const inTheMiddle = (): number => 0.5;

/** Entries that take `bytes` each in the log, 64 of them for themselves. */
function entries(count: number, bytes: number): readonly LogEntry[] {
  const data = new Uint8Array(bytes - 64);
  return Array.from({ length: count }, (_, place) => ({ index: place + 1, term: 1, kind: "command", data }));
}

test("a small state is due when enough entries were applied", () => {
  const policy = new SnapshotPolicy(10, 0);
  policy.applied(entries(9, 100));
  expect(policy.isDue(inTheMiddle)).toBe(false);
  policy.applied(entries(1, 100));
  expect(policy.isDue(inTheMiddle)).toBe(true);
  policy.begun();
  expect(policy.isDue(inTheMiddle)).toBe(false);
});

test("a large state is due when its log is twice as large as the last snapshot", () => {
  const policy = new SnapshotPolicy(10, 1_000);
  policy.applied(entries(19, 100));
  expect(policy.isDue(inTheMiddle)).toBe(false);
  policy.applied(entries(1, 100));
  expect(policy.isDue(inTheMiddle)).toBe(true);
  policy.begun();
  policy.ended(2_000);
  policy.applied(entries(39, 100));
  expect(policy.isDue(inTheMiddle)).toBe(false);
  policy.applied(entries(1, 100));
  expect(policy.isDue(inTheMiddle)).toBe(true);
});

const MiB = 1024 * 1024;

test.each([
  ["256 MiB, if the last snapshot has from 128", 200 * MiB, 256],
  ["as much as the last snapshot, if that has more", 320 * MiB, 320],
  ["1 GiB, however much the last snapshot has", 2 ** 40, 1024],
])("a log is worth a snapshot when it takes %s", (_, snapshotBytes, dueMiB) => {
  const policy = new SnapshotPolicy(10, snapshotBytes);
  policy.applied(entries(dueMiB / 16 - 1, 16 * MiB));
  expect(policy.isDue(inTheMiddle)).toBe(false);
  policy.applied(entries(1, 16 * MiB));
  expect(policy.isDue(inTheMiddle)).toBe(true);
});

test("members do not become due at once, however many there are", () => {
  const ids = [11, 5, 7, 9, 3];
  const configuration = { voters: ids.slice(0, 3), outgoing: ids.slice(2, 4), learners: ids.slice(4), learnersNext: [], autoLeave: false };
  const dueAfter = ids.map((id) => {
    const policy = new SnapshotPolicy(1, 1_000);
    let count = 0;
    for (; !policy.isDue(() => placeAmong(configuration, id)); count++) policy.applied(entries(1, 100));
    return count * 100;
  });
  expect(dueAfter).toEqual([2_500, 1_800, 2_000, 2_300, 1_500]);
  expect(placeAmong({ ...configuration, voters: [11], outgoing: [], learners: [] }, 11)).toBe(0.5);
});

test("what is applied while a snapshot is written counts towards the next", () => {
  const policy = new SnapshotPolicy(2, 0);
  policy.applied(entries(2, 64));
  policy.begun();
  policy.applied(entries(1, 64));
  policy.ended(1);
  expect(policy.isDue(inTheMiddle)).toBe(false);
  policy.applied(entries(1, 64));
  expect(policy.isDue(inTheMiddle)).toBe(true);
});
