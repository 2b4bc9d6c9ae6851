import { etcdserverpb } from "@raftkv/api";
import type { Logger } from "@raftkv/raft-node";
import { expect, test } from "vitest";
import { MemoryLeader } from "../lease/testing/memory-leader.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { SpaceAlarm } from "./space-alarm.ts";

const alarm = { memberId: 7n, kind: etcdserverpb.AlarmType.NOSPACE };

interface Scene {
  readonly clock: ManualClock;
  readonly leader: MemoryLeader;
  readonly space: SpaceAlarm;
  readonly store: { usedBytes: number };
  readonly said: string[];
  isRaised(): boolean;
}

function scene(): Scene {
  const clock = new ManualClock();
  const leader = new MemoryLeader(clock);
  const store = { usedBytes: 0 };
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say };
  const { alarms } = leader.state;
  const space = new SpaceAlarm({ node: leader, alarms, store, quotaBytes: 1_000, memberId: 7n, clock, logger });
  return { clock, leader, space, store, said, isRaised: () => alarms.isRaised(alarm) };
}

test("the alarm is raised by the first request that the quota refuses, and proposed once", async () => {
  const { clock, leader, space, store, said, isRaised } = scene();
  store.usedBytes = 990;
  for (let i = 0; i < 5; i++) expect(space.quota.admits(10)).toBe(false);
  await clock.run();
  expect(isRaised()).toBe(true);
  expect(space.quota.admits(10)).toBe(false);
  await clock.run();
  expect(leader.applied).toHaveLength(1);
  expect(said).toEqual(["the store has reached its quota, writes that need space are refused"]);
});

test("the alarm ends when a tenth of the quota has been free for five seconds on end", async () => {
  const { clock, space, store, isRaised } = scene();
  store.usedBytes = 1_000;
  space.quota.admits(1);
  await clock.run(10_000);
  expect(isRaised()).toBe(true);
  store.usedBytes = 950;
  await clock.run(10_000);
  expect(isRaised()).toBe(true);
  store.usedBytes = 899;
  await clock.run(4_000);
  store.usedBytes = 900;
  await clock.run(2_000);
  store.usedBytes = 899;
  await clock.run(5_000);
  expect(isRaised()).toBe(true);
  await clock.run(2_000);
  expect(isRaised()).toBe(false);
});

test("what could not be proposed is proposed again", async () => {
  const { clock, leader, space, store, isRaised } = scene();
  leader.isAlone = true;
  store.usedBytes = 1_000;
  space.quota.admits(1);
  await clock.run(1_000);
  leader.timeOut();
  leader.rejoin();
  expect(isRaised()).toBe(false);
  space.quota.admits(1);
  await clock.run();
  expect(isRaised()).toBe(true);
});

test("alarms of other members are left alone", async () => {
  const { clock, leader } = scene();
  leader.state.alarms.activate({ ...alarm, memberId: 8n });
  await clock.run(30_000);
  expect(leader.state.alarms.all).toHaveLength(1);
  expect(leader.applied).toEqual([]);
});
