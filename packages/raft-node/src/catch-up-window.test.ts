import type { LogEntry } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { CatchUpWindow } from "./catch-up-window.ts";

/** Entries that take 100 bytes each in the log, 64 of them for themselves. */
function entries(first: number, count: number): readonly LogEntry[] {
  const data = new Uint8Array(36);
  return Array.from({ length: count }, (_, place) => ({ index: first + place, term: 1, kind: "command", data }));
}

test("everything is in the window until it is full", () => {
  const window = new CatchUpWindow(1_600);
  for (let index = 1; index <= 16; index++) window.applied(entries(index, 1));
  expect(window.forgotten).toBe(0);
});

test("what is forgotten leaves at least the window's size behind, and at most a stride more", () => {
  const window = new CatchUpWindow(16_000);
  for (let index = 1; index <= 1_000; index++) {
    window.applied(entries(index, 1));
    const keptBytes = (index - window.forgotten) * 100;
    expect(keptBytes).toBeGreaterThanOrEqual(Math.min(16_000, index * 100));
    expect(keptBytes).toBeLessThanOrEqual(17_000);
  }
});

test("what is applied at once moves it as much as what is applied one by one", () => {
  const window = new CatchUpWindow(16_000);
  window.applied(entries(1, 1_000));
  expect(window.forgotten).toBe(839);
});

test("entries that are larger than a stride, or than the window, leave no more behind than they must", () => {
  for (const entryBytes of [150, 1_600, 5_000]) {
    const window = new CatchUpWindow(1_600);
    for (let index = 1; index <= 100; index++) {
      window.applied([{ index, term: 1, kind: "command", data: new Uint8Array(entryBytes - 64) }]);
      const keptBytes = (index - window.forgotten) * entryBytes;
      expect(keptBytes).toBeGreaterThanOrEqual(Math.min(1_600, index * entryBytes));
      expect(keptBytes).toBeLessThanOrEqual(1_700 + entryBytes);
    }
  }
});

test("nothing applied moves nothing", () => {
  const window = new CatchUpWindow(16);
  window.applied([]);
  expect(window.forgotten).toBe(0);
});
