import { type LogEntry, votersOnly } from "@raftkv/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { replayLog } from "./log-replay.ts";
import { SnapshotPolicy } from "./snapshot-policy.ts";
import { closeGroups, commandsEverywhere, electedGroup, text } from "./testing/group-fixture.ts";
import { Journal, type MemoryGroup, type MemoryMember } from "./testing/memory-group.ts";
import { type LogLine, recordingLogger } from "./testing/recording-logger.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

async function proposeMany(group: MemoryGroup, count: number, name: string): Promise<readonly string[]> {
  const lines = Array.from({ length: count }, (_, at) => `${name}${at}`);
  for (const line of lines) {
    void watched(group.leader.node.propose(text(line)));
    await group.settle();
  }
  await group.advance(300);
  return lines;
}

/** A follower that was stopped and started again with so many entries in memory. */
async function restartedFollower(
  group: MemoryGroup,
  recoveredMax: number,
  options: Parameters<MemoryGroup["restart"]>[1] = {},
): Promise<MemoryMember> {
  const [follower] = group.followers;
  if (follower === undefined) throw new Error("There are followers");
  return group.restart(follower.id, options, (store) => {
    store.recoveredMax = recoveredMax;
  });
}

describe("a member whose log is not in memory as a whole", () => {
  test.each([0, 1, 7])("applies what is committed before it takes part, with %i entries in memory", async (recoveredMax) => {
    const group = await electedGroup({ snapshotCount: 1_000 });
    const before = await proposeMany(group, 20, "a");
    const again = await restartedFollower(group, recoveredMax, { snapshotCount: 1_000 });
    expect(again.journal.lines.slice(0, 12)).toEqual(before.slice(0, 12));
    expect(again.node.status().firstIndex).toBeGreaterThan(10);
    const after = await proposeMany(group, 5, "b");
    const all = [...before, ...after].sort();
    expect(commandsEverywhere(group)).toEqual([all, all, all]);
    expect(again.failures).toEqual([]);
  });

  test("applies all commands of an entry, and lets the state machine reclaim what it can", async () => {
    const group = await electedGroup({ snapshotCount: 1_000 });
    const lines = Array.from({ length: 40 }, (_, at) => `a${at}`);
    // In one turn: they are one entry.
    for (const line of lines) void watched(group.leader.node.propose(text(line)));
    await group.advance(300);
    // It takes the commit index of the others to the disk.
    await proposeMany(group, 2, "b");
    const again = await restartedFollower(group, 0);
    expect(again.journal.lines.slice(0, 40)).toEqual(lines);
    expect(again.journal.reclaimed).toBeGreaterThan(2);
  });

  test("knows the members of the changes that it replays", async () => {
    const group = await electedGroup({ snapshotCount: 1_000 });
    await proposeMany(group, 3, "a");
    const change = { transition: "auto", operations: [{ type: "addLearner", id: 4 }], context: text("at 10.0.0.4") } as const;
    void watched(group.leader.node.changeMembership(change));
    await group.advance(300);
    await proposeMany(group, 3, "b");
    const again = await restartedFollower(group, 1);
    expect(again.journal.lines).toContain("voters 1,2,3 learners 4 at 10.0.0.4");
    expect(again.configurations[0]).toMatchObject({ voters: [1, 2, 3], learners: [4] });
    expect(again.node.status().configuration.learners).toEqual([4]);
  });

  test("counts what it replays towards the next snapshot, and takes it where it stands", async () => {
    const group = await electedGroup({ snapshotCount: 1_000 });
    await proposeMany(group, 20, "a");
    const again = await restartedFollower(group, 0, { snapshotCount: 22 });
    expect(again.store.snapshot?.meta.index).toBe(1);
    await proposeMany(group, 2, "b");
    expect(again.store.snapshot?.meta.index).toBeGreaterThan(20);
  });

  test("that leads sends a snapshot of all of it to the only one there is, who lacks it", async () => {
    const group = await electedGroup({ snapshotCount: 1_000 });
    const [away, other] = group.followers;
    if (away === undefined || other === undefined) throw new Error("There are followers");
    const leader = group.leader.id;
    group.stopped.add(away.id);
    const lines = await proposeMany(group, 20, "a");
    await group.restart(leader, { snapshotCount: 1_000 }, (store) => {
      store.recoveredMax = 0;
    });
    group.kill(other.id);
    group.stopped.delete(away.id);
    await group.advance(5_000);
    expect(group.leader.id).toBe(leader);
    const all = [...lines].sort();
    expect(commandsEverywhere(group)).toEqual([all, all]);
  });

  test("that leads sends a snapshot of all of it to one who lacks it", async () => {
    const group = await electedGroup({ snapshotCount: 1_000 });
    const [away, other] = group.followers;
    if (away === undefined || other === undefined) throw new Error("There are followers");
    group.stopped.add(away.id);
    const lines = await proposeMany(group, 20, "a");
    const leader = group.leader.id;
    for (const id of [leader, other.id]) {
      await group.restart(id, { snapshotCount: 1_000 }, (store) => {
        store.recoveredMax = 0;
      });
    }
    await group.elect();
    group.stopped.clear();
    await group.advance(3_000);
    const all = [...lines].sort();
    expect(commandsEverywhere(group)).toEqual([all, all, all]);
    expect(away.store.snapshot?.meta.index).toBeGreaterThan(20);
  });
});

describe("a replay", () => {
  const snapshot = { index: 4, term: 1, configuration: votersOnly([1]) };
  const lines: LogLine[] = [];
  const logger = recordingLogger(lines);
  const entry = (index: number, term = 2): LogEntry => ({ index, term, kind: "empty", data: new Uint8Array(0) });
  const replayed = (...entries: readonly LogEntry[]) => {
    const last = { index: 6, term: 2 };
    const read = async function* (): AsyncGenerator<readonly LogEntry[]> {
      for (const one of entries) yield await Promise.resolve([one]);
    };
    const policy = new SnapshotPolicy(1, 0, () => 0);
    const clock = { monotonicMs: () => 7 };
    return replayLog({ last, entries: read }, { stateMachine: new Journal(), clock, logger, policy, snapshot });
  };

  test("ends where it should", async () => {
    expect(await replayed(entry(5), entry(6))).toEqual({ ...snapshot, index: 6, term: 2 });
    expect(lines).toMatchObject([{ message: "applied the log behind the snapshot", fields: { from: 5, to: 6, ms: 0 } }]);
    await expect(replayed(entry(6))).rejects.toThrow("The log goes on with entry 6 after entry 4");
    await expect(replayed(entry(5))).rejects.toThrow("The log ends with entry 5 of term 2, expected 6 of term 2");
    await expect(replayed(entry(5), entry(6, 3))).rejects.toThrow("The log ends with entry 6 of term 3, expected 6 of term 2");
  });
});
