import { type LogEntry, votersOnly } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { ApplyQueue } from "./apply-queue.ts";
import { EntryApplier } from "./entry-applier.ts";
import { MembershipChanges } from "./membership-changes.ts";
import { Proposals } from "./proposals.ts";
import { Journal } from "./testing/memory-group.ts";

const random = { below: (limit: number) => limit - 1, bytes: (count: number) => new Uint8Array(count).fill(7) };
const fail = (error: unknown): void => {
  throw error;
};

const letters = ["a", "b", "c", "d", "e"];

/** One entry of these commands, and who waits for each. */
function fixture(commands: readonly string[] = letters) {
  const proposals = new Proposals<string>({ random, countMax: 100, bytesMax: 1_000, timeoutMs: 1_000, onCompletionError: fail });
  const results: string[] = [];
  for (const command of commands) {
    proposals.add(new TextEncoder().encode(command), 0, {
      succeed: (result) => results.push(result),
      fail: (error) => results.push(error.code),
    });
  }
  let data = new Uint8Array(0);
  proposals.offer(([entry = new Uint8Array(0)]) => {
    data = entry.slice();
    return { outcome: "accepted", term: 1, firstIndex: 7, lastIndex: 7 };
  });
  const entry: LogEntry = { index: 7, term: 1, kind: "command", data };
  const journal = new Journal();
  const applier = new EntryApplier<string>({
    core: { applyChange: () => votersOnly([1]) },
    stateMachine: journal,
    requests: { proposals, changes: new MembershipChanges({ random, timeoutMs: 1_000 }) },
    onConfiguration: () => {},
  });
  return { proposals, results, entry, journal, applier };
}

test("an entry of many commands is applied in parts, each command once and for who waits for it", () => {
  const { results, entry, journal, applier } = fixture();
  const progress: (readonly [number, boolean, string])[] = [];
  for (const commandsMax of [2, 1, 16]) progress.push([applier.apply(entry, commandsMax), applier.isInsideEntry, results.join("")]);
  expect(progress).toEqual([
    [2, true, "ab"],
    [1, true, "abc"],
    [2, false, "abcde"],
  ]);
  expect(journal.lines).toEqual(letters);
});

test("leadership that is lost within an entry fails no command of it that is applied afterwards", () => {
  const { proposals, results, entry, applier } = fixture();
  applier.apply(entry, 2);
  proposals.leadershipLost();
  applier.apply(entry, 16);
  proposals.settleOrphans(7);
  expect(results).toEqual(letters);
});

test("an entry that is applied to its last command at the end of a part is done", () => {
  const { entry, applier, journal } = fixture();
  applier.apply(entry, 5);
  expect(applier.isInsideEntry).toBe(false);
  applier.apply({ index: 8, term: 1, kind: "empty", data: new Uint8Array(0) }, 1);
  expect(journal.lines).toHaveLength(5);
});

test("an entry that is applied in part is finished before a snapshot may replace the state", () => {
  const commands = Array.from({ length: 40 }, (_, at) => `${at}`);
  const { results, entry, applier } = fixture(commands);
  const jobs: number[] = [];
  const queue = new ApplyQueue({ clock: { monotonicMs: () => 0 }, applier, onJobDone: (_, count) => jobs.push(count) });
  queue.add({ entries: [entry] });
  queue.runUntil(0);
  expect([results.length, jobs]).toEqual([16, []]);
  queue.finish();
  expect([results, jobs, applier.isInsideEntry]).toEqual([commands, [40], false]);
});
