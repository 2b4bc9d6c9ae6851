import { afterEach, describe, expect, test } from "vitest";
import { closeGroups, electedGroup, groupOf, text } from "./testing/group-fixture.ts";
import type { MemoryGroup, MemoryMember } from "./testing/memory-group.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

test("a member that stops gives up the snapshot that it writes", async () => {
  const group = await groupOf([1], { snapshotCount: 2 });
  await group.elect();
  const { node, journal, store } = group.member(1);
  let made = 0;
  let isClosed = false;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      await Promise.resolve();
      group.time.nowMs++;
      made++;
      yield text("more");
    }
  };
  journal.snapshot = (index) => ({
    index,
    chunks: endless,
    close: () => {
      isClosed = true;
    },
  });
  const before = store.recovered.snapshot;
  for (const line of ["a", "b", "c"]) void watched(node.propose(text(line)));
  await group.advance(50);
  expect(made).toBeGreaterThan(1);
  const seen = watched(node.close());
  await group.advance(50);
  expect(seen).toMatchObject({ value: undefined });
  const madeUntilClosed = made;
  await group.advance(50);
  expect({ isClosed, made }).toEqual({ isClosed: true, made: madeUntilClosed });
  expect(store.recovered.snapshot).toEqual(before);
});

/** A window of no size: whatever is applied is forgotten soon after. */
const smallWindow = { catchUpBytes: 1, snapshotCount: 1_000_000 };

async function proposeMany(group: MemoryGroup): Promise<void> {
  for (let at = 0; at < 40; at++) {
    void watched(group.leader.node.propose(text(`${at}`)));
    await group.settle();
  }
}

function keepsEntry(member: MemoryMember, index: number): boolean {
  return member.node.inspect().entryAt(index) !== undefined;
}

describe("what was applied and no snapshot covers", () => {
  test("leaves the memory of all members when all have it", async () => {
    const group = await electedGroup(smallWindow);
    await proposeMany(group);
    await group.advance(500);
    await proposeMany(group);
    const kept = [...group.members.values()].map((member) => keepsEntry(member, 10));
    expect(kept).toEqual([false, false, false]);
  });

  test("stays with the leader as long as a follower lacks it, which then needs no snapshot", async () => {
    const group = await electedGroup(smallWindow);
    const [away, other] = group.followers;
    if (away === undefined || other === undefined) throw new Error("There are followers");
    group.stopped.add(away.id);
    await proposeMany(group);
    expect([keepsEntry(group.leader, 10), keepsEntry(other, 10)]).toEqual([true, false]);
    const before = group.leader.store.snapshot?.meta.index;
    group.stopped.clear();
    await group.advance(1_000);
    expect(away.journal.lines).toEqual(group.leader.journal.lines);
    expect(group.leader.store.snapshot?.meta.index).toBe(before);
  });

  test("reaches a follower that lacks it by a snapshot that a new leader takes for it", async () => {
    const group = await electedGroup(smallWindow);
    const [away, other] = group.followers;
    if (away === undefined || other === undefined) throw new Error("There are followers");
    group.stopped.add(away.id);
    await proposeMany(group);
    void watched(group.leader.node.transferLeadership(other.id));
    await group.advance(500);
    group.stopped.clear();
    await group.advance(2_000);
    expect(group.leader.id).toBe(other.id);
    expect(away.journal.lines).toEqual(other.journal.lines);
    expect(away.store.snapshot?.meta.index).toBeGreaterThan(40);
    expect(other.store.snapshot?.meta).toEqual(away.store.snapshot?.meta);
  });
});

test("the log on disk keeps behind a snapshot what is in memory, however few entries that are", async () => {
  const group = await electedGroup({ catchUpBytes: 1_000, snapshotCount: 30 });
  await proposeMany(group);
  const { store } = group.leader;
  const snapshot = store.snapshot?.meta.index ?? 0;
  expect(snapshot).toBeGreaterThan(30);
  const first = store.recovered.entries[0]?.index ?? 0;
  expect(first).toBeGreaterThan(snapshot - 30);
  expect(first).toBeLessThan(snapshot);
});

describe("a log that takes a page for each command", () => {
  const large = "x".repeat(20_000);

  /** A follower with a snapshot of more than 20,000 bytes, which demands twice that of commands, and four times that on the disk. */
  async function withLargeSnapshot(): Promise<{ readonly group: MemoryGroup; readonly id: number; readonly index: number }> {
    const group = await electedGroup({ snapshotCount: 10 });
    void watched(group.leader.node.propose(text(large)));
    for (let at = 0; at < 12; at++) {
      void watched(group.leader.node.propose(text(`${at}`)));
      await group.settle();
    }
    await group.advance(300);
    const [follower] = group.followers;
    const index = follower?.store.snapshot?.meta.index ?? 0;
    if (follower === undefined || index <= 1) throw new Error("There is a follower that has taken a snapshot");
    return { group, id: follower.id, index };
  }

  test("is worth a snapshot before its commands are", async () => {
    const { group, id, index } = await withLargeSnapshot();
    const { store } = group.member(id);
    await proposeMany(group);
    expect(store.snapshot?.meta.index).toBe(index);
    store.appendBytes = 4_096;
    await proposeMany(group);
    expect(store.snapshot?.meta.index).toBeGreaterThan(index + 20);
  });

  test("counts what a start finds of it", async () => {
    const { group, id, index } = await withLargeSnapshot();
    const again = await group.restart(id, { snapshotCount: 10 }, (store) => {
      store.logBytes = 100_000;
    });
    await proposeMany(group);
    expect(again.store.snapshot?.meta.index).toBeGreaterThan(index + 5);
  });
});
