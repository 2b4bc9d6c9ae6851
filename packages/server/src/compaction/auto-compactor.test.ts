import type { Logger } from "@raftkv/raft-node";
import { expect, test } from "vitest";
import { MemoryLeader } from "../lease/testing/memory-leader.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { AutoCompactor } from "./auto-compactor.ts";
import { RevisionPlan } from "./compaction-plan.ts";

const stepMs = 5 * 60_000;

interface Scene {
  readonly clock: ManualClock;
  readonly leader: MemoryLeader;
  readonly compactor: AutoCompactor;
  readonly said: string[];
  write(count: number): void;
}

/** Keeps ten revisions. */
function scene(): Scene {
  const clock = new ManualClock();
  const leader = new MemoryLeader(clock);
  const { store } = leader.state;
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say };
  const compactor = new AutoCompactor({ plan: new RevisionPlan(10), node: leader, store, clock, logger });
  const write = (count: number): void => {
    for (let i = 0; i < count; i++) store.update(Uint8Array.of(1), Uint8Array.of(i));
  };
  return { clock, leader, compactor, said, write };
}

test("the member that leads compacts, and no other", async () => {
  const { clock, leader, said, write } = scene();
  write(20);
  await clock.run(stepMs);
  expect(leader.state.store.compactRevision).toBe(-1);
  leader.lead();
  await clock.run(stepMs);
  expect(leader.state.store.compactRevision).toBe(11);
  await clock.run(stepMs);
  expect(leader.applied).toHaveLength(1);
  expect(said).toEqual(["compacted the history automatically"]);
});

test("what somebody else has compacted already counts as done", async () => {
  const { clock, leader, said, write } = scene();
  leader.lead();
  write(20);
  leader.state.store.compact(15);
  await clock.run(2 * stepMs);
  expect(leader.applied).toHaveLength(1);
  expect(said).toEqual([]);
});

test("what failed is tried again at the next step, one proposal at a time", async () => {
  const { clock, leader, said, write } = scene();
  leader.lead();
  leader.isAlone = true;
  write(20);
  await clock.run(3 * stepMs);
  leader.timeOut();
  expect(said).toEqual(["the automatic compaction failed, it is tried again"]);
  leader.rejoin();
  await clock.run(stepMs);
  expect(leader.state.store.compactRevision).toBe(11);
});

test("a compactor that is stopped does nothing more", async () => {
  const { clock, leader, compactor, write } = scene();
  leader.lead();
  write(20);
  compactor.stop();
  await clock.run(3 * stepMs);
  expect(leader.applied).toEqual([]);
});
