import type { LogEntry } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { SnapshotPolicy } from "./snapshot-policy.ts";

/** Entries that take `bytes` each in the log, 64 of them for themselves. */
function entries(count: number, bytes: number): readonly LogEntry[] {
  const data = new Uint8Array(bytes - 64);
  return Array.from({ length: count }, (_, place) => ({ index: place + 1, term: 1, kind: "command", data }));
}

test("a small state is due when enough entries were applied", () => {
  const policy = new SnapshotPolicy(10, 0);
  policy.applied(entries(9, 100));
  expect(policy.isDue).toBe(false);
  policy.applied(entries(1, 100));
  expect(policy.isDue).toBe(true);
  policy.begun();
  expect(policy.isDue).toBe(false);
});

test("a large state is due when its log is twice as large as the last snapshot", () => {
  const policy = new SnapshotPolicy(10, 1_000);
  policy.applied(entries(19, 100));
  expect(policy.isDue).toBe(false);
  policy.applied(entries(1, 100));
  expect(policy.isDue).toBe(true);
  policy.begun();
  policy.ended(2_000);
  policy.applied(entries(39, 100));
  expect(policy.isDue).toBe(false);
  policy.applied(entries(1, 100));
  expect(policy.isDue).toBe(true);
});

const MiB = 1024 * 1024;

test.each([
  ["256 MiB, if the last snapshot has from 128", 200 * MiB, 256],
  ["as much as the last snapshot, if that has more", 320 * MiB, 320],
  ["1 GiB, however much the last snapshot has", 2 ** 40, 1024],
])("a log is worth a snapshot when it takes %s", (_, snapshotBytes, dueMiB) => {
  const policy = new SnapshotPolicy(10, snapshotBytes);
  policy.applied(entries(dueMiB / 16 - 1, 16 * MiB));
  expect(policy.isDue).toBe(false);
  policy.applied(entries(1, 16 * MiB));
  expect(policy.isDue).toBe(true);
});

test("what is applied while a snapshot is written counts towards the next", () => {
  const policy = new SnapshotPolicy(2, 0);
  policy.applied(entries(2, 64));
  policy.begun();
  policy.applied(entries(1, 64));
  policy.ended(1);
  expect(policy.isDue).toBe(false);
  policy.applied(entries(1, 64));
  expect(policy.isDue).toBe(true);
});
