import { type LogEntry, votersOnly } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { EntryApplier } from "./entry-applier.ts";
import { MembershipChanges } from "./membership-changes.ts";
import { Proposals } from "./proposals.ts";
import { Journal } from "./testing/memory-group.ts";

const random = { below: (limit: number) => limit - 1, bytes: (count: number) => new Uint8Array(count).fill(7) };
const fail = (error: unknown): void => {
  throw error;
};

const letters = ["a", "b", "c", "d", "e"];

/** One entry of five commands, and who waits for each. */
function fixture() {
  const proposals = new Proposals<string>({ random, countMax: 10, bytesMax: 1_000, timeoutMs: 1_000, onCompletionError: fail });
  const results: string[] = [];
  for (const letter of letters) {
    proposals.add(new TextEncoder().encode(letter), 0, {
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
