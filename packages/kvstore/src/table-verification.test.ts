import { beforeEach, expect, test } from "vitest";
import type { NodeRef } from "./node-arena.ts";
import { verifyTable } from "./table-verification.ts";
import { VersionTable } from "./version-table.ts";

const key = (name: number): Uint8Array => Uint8Array.of(name);

let table: VersionTable;
let a: NodeRef;
let b: NodeRef;
/** Revisions: a at 2, 3 and 4; b at 5, deleted at 6; c at 7. */
beforeEach(() => {
  table = new VersionTable(1, -1);
  a = write(key(1));
  write(key(1));
  write(key(1));
  b = write(key(2));
  table.beginRevision();
  table.remove(b);
  write(key(3));
  verifyTable(table);
});

function write(name: Uint8Array): NodeRef {
  table.beginRevision();
  const node = table.find(name);
  if (node === 0) return table.insert(name, 0n);
  table.overwrite(node, name, 0n);
  return node;
}

type Damage = readonly [name: string, damage: () => void, sentence: string];
const damages: readonly Damage[] = [
  ["an event number that is another's", () => table.versions.setEvent(a, 0), "The event of a version leads to it"],
  ["an event that leads elsewhere", () => table.events.replace(4, 6, a), "The event of a version leads to it"],
  ["an event without a version", () => table.events.replace(4, 6, 0), "The event of a version leads to it"],
  ["a version that lost its older ones", () => table.versions.nodes.setOlder(a, 0), "The payload of all retained versions is accounted"],
  [
    "versions that are chained one way only",
    () => table.versions.history.setNewer(table.versions.nodes.older(a), table.versions.nodes.older(b)),
    "Versions of a key are chained both ways",
  ],
  ["a version that is skipped", () => table.versions.nodes.setRevisions(a, 2, 4, 4), "Each put adds 1 to the version"],
  [
    "a key that moved its creation",
    () => table.versions.nodes.setRevisions(a, 3, 4, 3),
    "A key keeps its create revision until it is deleted",
  ],
  ["a deleted key that is there", () => table.versions.nodes.setRevisions(b, 5, 6, 1), "A key is alive until it is deleted"],
  ["a revision to come", () => table.versions.nodes.setRevisions(a, 2, 9, 3), "No version is newer than the table"],
  ["a value without a cell", () => table.versions.nodes.setValue(a, 0, 1), "Only an empty value has no cell"],
  ["freeable bytes that are none", () => table.events.addFreeable(1), "What a compaction frees is accounted"],
  ["a value of nobody", () => void table.versions.values.store(key(1)), "Each value cell belongs to a version"],
  ["a revision without an event", () => table.beginRevision(), "A revision has at least one event"],
];
test.each(damages)("verification tells %s", (_name, damage, sentence) => {
  damage();
  expect(() => verifyTable(table)).toThrow(`Assertion failed: ${sentence}`);
});

test("verification accepts a table in the middle of a reclaim, and after it", () => {
  table.compact(6);
  verifyTable(table);
  while (table.reclaim(1)) verifyTable(table);
  verifyTable(table);
  expect([table.list.count, table.find(key(2)), table.versions.history.cells.liveCells]).toEqual([2, 0, 0]);
});
