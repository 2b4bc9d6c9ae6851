import type { LogEntry } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { SnapshotPolicy } from "./snapshot-policy.ts";

/** Applies entries of one command that count as `bytes` each, 64 of them for the command itself. */
function apply(policy: SnapshotPolicy, count: number, bytes: number): void {
  const data = new Uint8Array(bytes - 64);
  const entries = Array.from({ length: count }, (_, place): LogEntry => ({ index: place + 1, term: 1, kind: "command", data }));
  policy.applied(entries, count);
}

test("a small state is due when enough commands were applied", () => {
  const policy = new SnapshotPolicy(10, 0, () => 0);
  apply(policy, 9, 100);
  expect(policy.isDue).toBe(false);
  apply(policy, 1, 100);
  expect(policy.isDue).toBe(true);
  policy.begun();
  expect(policy.isDue).toBe(false);
});

test("commands count, however few entries they are in", () => {
  const policy = new SnapshotPolicy(10, 1_000, () => 0);
  const entry: LogEntry = { index: 1, term: 1, kind: "command", data: new Uint8Array(500) };
  policy.applied([entry], 9);
  expect(policy.isDue).toBe(false);
  policy.applied([entry], 7);
  expect(policy.isDue).toBe(true);
});

test("a large state is due when its log is twice as large as the last snapshot", () => {
  const policy = new SnapshotPolicy(10, 1_000, () => 0);
  apply(policy, 19, 100);
  expect(policy.isDue).toBe(false);
  apply(policy, 1, 100);
  expect(policy.isDue).toBe(true);
  policy.begun();
  policy.ended(2_000);
  apply(policy, 39, 100);
  expect(policy.isDue).toBe(false);
  apply(policy, 1, 100);
  expect(policy.isDue).toBe(true);
});

const MiB = 1024 * 1024;

test.each([
  ["512 MiB, if the last snapshot has from 256", 400 * MiB, 512],
  ["as much as the last snapshot, if that has more", 640 * MiB, 640],
  ["1 GiB, however much the last snapshot has", 2 ** 40, 1024],
])("a log is worth a snapshot when it takes %s", (_, snapshotBytes, dueMiB) => {
  const policy = new SnapshotPolicy(10, snapshotBytes, () => 0);
  apply(policy, dueMiB / 16 - 1, 16 * MiB);
  expect(policy.isDue).toBe(false);
  apply(policy, 1, 16 * MiB);
  expect(policy.isDue).toBe(true);
});

test("a log that fills pages with little is worth a snapshot by what it takes on the disk", () => {
  let written = 50_000;
  const policy = new SnapshotPolicy(10, 1_000, () => written);
  policy.begun();
  apply(policy, 9, 100);
  written = 60_000;
  expect(policy.isDue).toBe(false);
  apply(policy, 1, 100);
  written = 53_999;
  expect(policy.isDue).toBe(false);
  written = 54_000;
  expect(policy.isDue).toBe(true);
});

test("what is applied while a snapshot is written counts towards the next", () => {
  const policy = new SnapshotPolicy(2, 0, () => 0);
  apply(policy, 2, 64);
  policy.begun();
  apply(policy, 1, 64);
  policy.ended(1);
  expect(policy.isDue).toBe(false);
  apply(policy, 1, 64);
  expect(policy.isDue).toBe(true);
});
