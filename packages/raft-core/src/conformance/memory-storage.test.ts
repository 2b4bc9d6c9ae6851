import { describe, expect, test } from "vitest";
import { EMPTY_CONFIGURATION } from "../membership/configuration.ts";
import { entriesOf } from "../testing/test-cluster.ts";
import { CommandError } from "./command-error.ts";
import { MemoryStorage } from "./memory-storage.ts";

function storageWith(...terms: readonly number[]): MemoryStorage {
  const storage = new MemoryStorage();
  storage.append(entriesOf(terms));
  return storage;
}

function positions(storage: MemoryStorage): readonly string[] {
  return storage.all().map(({ term, index }) => `${term}/${index}`);
}

function snapshotAt(index: number) {
  return { index, term: 1, configuration: EMPTY_CONFIGURATION };
}

describe("the stored log", () => {
  test("is empty at first", () => {
    const storage = new MemoryStorage();
    expect([storage.firstIndex, storage.lastIndex, storage.all()]).toEqual([1, 0, []]);
  });

  test("takes entries at its end, and in the place of others", () => {
    const storage = storageWith(1, 1, 1);
    storage.append(entriesOf([2, 2], 3));
    expect(positions(storage)).toEqual(["1/1", "1/2", "2/3", "2/4"]);
    storage.append(entriesOf([3], 2));
    expect(positions(storage)).toEqual(["1/1", "3/2"]);
  });

  test("passes over what is compacted, and has no gap", () => {
    const storage = storageWith(1, 1, 1);
    storage.compact(2);
    storage.append(entriesOf([2], 1));
    expect(positions(storage)).toEqual(["1/3"]);
    storage.append(entriesOf([2, 2, 2], 1));
    expect(positions(storage)).toEqual(["2/3"]);
    expect(() => storage.append(entriesOf([2], 5))).toThrow("Entry 5 does not follow entry 3");
  });

  test("is compacted once, and only where there are entries", () => {
    const storage = storageWith(1, 1, 1);
    storage.compact(2);
    expect([storage.firstIndex, storage.lastIndex]).toEqual([3, 3]);
    expect(() => storage.compact(2)).toThrow(new CommandError("requested index is unavailable due to compaction"));
    expect(() => storage.compact(4)).toThrow("Entry 4 can't be compacted, the last is 3");
  });

  test("gives way to a snapshot, unless that is an old one", () => {
    const storage = storageWith(1, 1, 1);
    storage.applySnapshot(snapshotAt(2));
    expect([storage.firstIndex, storage.lastIndex]).toEqual([3, 2]);
    expect(() => storage.applySnapshot(snapshotAt(2))).toThrow(new CommandError("requested index is older than the existing snapshot"));
  });
});
