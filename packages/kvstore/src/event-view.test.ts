import { beforeEach, expect, test } from "vitest";
import type { EventView } from "./event-view.ts";
import { KVStore } from "./kv-store.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (content: Uint8Array): string => String.fromCharCode(...content);

let store: KVStore;
/** Revisions: a at 2 and 3; b, c and a at 4; a and b deleted at 5; c at 6. */
beforeEach(() => {
  store = new KVStore();
  store.set(bytes("a"), bytes("1"));
  store.set(bytes("a"), bytes("2"));
  store.atOneRevision(() => {
    for (const key of ["b", "c", "a"]) store.set(bytes(key), bytes("3"));
  });
  store.deleteRange(bytes("a"), bytes("c"));
  store.set(bytes("c"), bytes("4"));
  return () => store.verify();
});

function describeEvent({ kind, revision, current, previous }: EventView): string {
  const before = previous === null ? "" : ` was ${text(previous.valueView())}`;
  const now = kind === "put" ? `=${text(current.valueView())} v${current.version}` : " deleted";
  return `${revision} ${text(current.keyView())}${now}${before}`;
}

function eventsOf(from: number, revisionsMax = 100): string[] {
  const events: string[] = [];
  store.visitEvents(from, revisionsMax, (event) => events.push(describeEvent(event)));
  return events;
}

test("events come in the order of the writes, with what was there before their revision", () => {
  expect(eventsOf(1)).toEqual([
    "2 a=1 v1",
    "3 a=2 v2 was 1",
    "4 b=3 v1",
    "4 c=3 v1",
    "4 a=3 v3 was 2",
    "5 a deleted was 3",
    "5 b deleted was 3",
    "6 c=4 v2 was 3",
  ]);
});

test("a visit shows whole revisions and tells where to go on", () => {
  expect(store.visitEvents(4, 1, () => {})).toBe(5);
  expect(eventsOf(4, 2)).toEqual(["4 b=3 v1", "4 c=3 v1", "4 a=3 v3 was 2", "5 a deleted was 3", "5 b deleted was 3"]);
  expect(store.visitEvents(5, 100, () => {})).toBe(7);
  expect([store.visitEvents(7, 100, () => {}), store.visitEvents(9, 100, () => {}), eventsOf(9)]).toEqual([7, 9, []]);
});

test("a deletion has the key and its revision and nothing else", () => {
  store.visitEvents(5, 1, ({ current }) => {
    const { createRevision, modRevision, version, lease, value } = current.toKeyValue();
    expect([createRevision, modRevision, version, lease, value.length]).toEqual([0, 5, 0, 0n, 0]);
  });
});

test.each(["before anything is freed", "after that"])("from the compact revision on events are there, %s", (moment) => {
  store.compact(4);
  if (moment === "after that") while (store.reclaim(1));
  expect(() => eventsOf(3)).toThrow("Revision 3 is below the compact revision 4");
  expect(eventsOf(4)).toEqual(["4 b=3 v1", "4 c=3 v1", "4 a=3 v3", "5 a deleted was 3", "5 b deleted was 3", "6 c=4 v2 was 3"]);
  store.compact(5);
  if (moment === "after that") while (store.reclaim(1));
  expect(eventsOf(5)).toEqual(["6 c=4 v2 was 3"]);
  store.compact(6);
  if (moment === "after that") while (store.reclaim(1));
  expect(eventsOf(6)).toEqual(["6 c=4 v2"]);
});

test("a key that changes twice in a revision had before what it had before the revision", () => {
  store.atOneRevision(() => {
    store.set(bytes("c"), bytes("5"));
    store.set(bytes("c"), bytes("6"));
    store.remove(bytes("c"));
    store.set(bytes("d"), bytes("7"));
    store.remove(bytes("d"));
  });
  expect(eventsOf(7)).toEqual(["7 c=5 v3 was 4", "7 c=6 v4 was 4", "7 c deleted was 4", "7 d=7 v1", "7 d deleted"]);
  store.compact(7);
  expect(eventsOf(7)).toEqual([]);
  while (store.reclaim(1)) store.verify();
  expect([eventsOf(7), store.keyCount]).toEqual([[], 0]);
});

test("events can't be used after their visit, and the store is not written meanwhile", () => {
  const kept: EventView[] = [];
  store.visitEvents(2, 1, (event) => kept.push(event));
  expect(() => kept[0]?.kind).toThrow("A view is used only while its record is visited");
  expect(() => store.visitEvents(2, 1, () => store.set(bytes("z"), bytes("1")))).toThrow(
    "The store is not written while a range is visited",
  );
});

test("a store that was never written has no events", () => {
  store = new KVStore();
  expect([store.visitEvents(0, 10, () => {}), store.visitEvents(1, 10, () => {}), eventsOf(1)]).toEqual([2, 2, []]);
});
