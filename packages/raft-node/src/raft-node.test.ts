import { afterEach, describe, expect, test } from "vitest";
import { closeGroups, commands, commandsEverywhere, electedGroup, groupOf, text } from "./testing/group-fixture.ts";
import { watched } from "./testing/watched.ts";

afterEach(closeGroups);

const three = <Value>(value: Value): readonly Value[] => [value, value, value];

describe("a member that is alone", () => {
  test("leads before any time has passed, and answers", async () => {
    const group = await groupOf([7]);
    await group.settle();
    expect(group.leader.id).toBe(7);
    const seen = watched(group.leader.node.propose(text("a")));
    await group.settle();
    expect(seen.value).toBe("a");
    expect(group.time.nowMs).toBe(0);
  });

  test("closes at once", async () => {
    const group = await groupOf([7]);
    await group.settle();
    const closed = watched(group.leader.node.close());
    await group.settle();
    expect([closed.error, group.time.nowMs]).toEqual([null, 0]);
    expect(watched(group.member(7).node.propose(text("late"))).value).toBeNull();
  });
});

describe("three members", () => {
  test("apply what any of them proposes, and nobody sends itself a message", async () => {
    const group = await electedGroup();
    const seen = [1, 2, 3].map((id) => watched(group.member(id).node.propose(text(`by ${id}`))));
    await group.advance(100);
    expect(seen.map(({ value }) => value)).toEqual(["by 1", "by 2", "by 3"]);
    expect(commandsEverywhere(group)).toEqual(three(["by 1", "by 2", "by 3"]));
    expect(group.sent.filter(({ from, to }) => from === to)).toEqual([]);
  });

  test("hear of what is committed with the next entries, or a few milliseconds later", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    group.sent.length = 0;
    for (const line of ["a", "b"]) {
      const seen = watched(node.propose(text(line)));
      await group.settle();
      expect(seen.value).toBe(line);
    }
    const applied = (): readonly (readonly string[])[] => group.followers.map(commands);
    expect(applied()).toEqual([["a"], ["a"]]);
    expect(group.sent.filter((message) => message.type === "appendEntries" && message.entries.length === 0)).toEqual([]);
    await group.advance(3, 1);
    expect([group.leader.id, applied()]).toEqual([
      id,
      [
        ["a", "b"],
        ["a", "b"],
      ],
    ]);
  });

  test("elect another leader at once when the connections of the old one are reset", async () => {
    const group = await electedGroup();
    const { id } = group.leader;
    group.kill(id);
    expect(await group.elect()).toBeLessThan(100);
    const seen = watched(group.leader.node.propose(text("after")));
    await group.settle();
    expect(seen.value).toBe("after");
  });

  test("elect another leader within half the election time-out when the old one falls silent", async () => {
    const group = await electedGroup();
    await group.advance(2_000);
    group.stopped.add(group.leader.id);
    expect(await group.elect()).toBeLessThan(550);
  });

  test("keep their leader through hours without load", async () => {
    const group = await electedGroup();
    const { id, node } = group.leader;
    const { term } = node;
    await group.advance(60_000, 25);
    expect([group.leader.id, group.leader.node.term]).toEqual([id, term]);
  });

  test("keep their leader when a follower was stopped for long and runs again", async () => {
    const group = await electedGroup();
    const { id } = group.leader;
    const [follower] = group.followers;
    group.stopped.add(follower?.id ?? 0);
    await group.advance(5_000);
    group.stopped.clear();
    await group.advance(3_000);
    expect([group.leader.id, follower?.node.leader]).toEqual([id, id]);
  });
});

test("a peer that lost its store is not counted on any more", async () => {
  const group = await electedGroup();
  const { node } = group.leader;
  const [replaced, away] = group.followers.map(({ id }) => id);
  group.loseStore(replaced ?? 0);
  await group.settle();
  expect(node.status().peers.filter(({ isDistrusted }) => isDistrusted)).toMatchObject([{ id: replaced }]);
  group.stopped.add(away ?? 0);
  const seen = watched(node.propose(text("x")));
  await group.advance(500);
  expect(seen.value).toBeNull();
  group.stopped.clear();
  await group.advance(500);
  expect(seen.value).toBe("x");
});

test("a state machine is told of the commands of a turn before it gets them, a few at a time", async () => {
  const group = await electedGroup();
  const { node, journal } = group.leader;
  const seen: string[] = [];
  journal.onApply = (line) => seen.push(line);
  journal.prepare = (commands) => seen.push(`next: ${commands.map((command) => new TextDecoder().decode(command)).join()}`);
  for (let at = 0; at < 18; at++) void node.propose(text(`${at}`));
  await group.settle();
  void node.propose(text("alone"));
  await group.settle();
  const numbers = Array.from({ length: 18 }, (_, at) => `${at}`);
  expect(seen).toEqual([`next: ${numbers.slice(0, 16).join()}`, ...numbers.slice(0, 16), "next: 16,17", "16", "17", "alone"]);
});

test("commands that share an entry have numbers of their own, the same on every member", async () => {
  const group = await electedGroup();
  const numbers = [...group.members.values()].map(({ journal }) => {
    const seen: number[] = [];
    const apply = journal.apply.bind(journal);
    journal.apply = (entry, command, number) => {
      seen.push(number);
      return apply(entry, command, number);
    };
    return seen;
  });
  for (let at = 0; at < 600; at++) void group.leader.node.propose(text(`${at}`));
  await group.advance(200);
  const [first = []] = numbers;
  expect(first).toHaveLength(600);
  expect(first.every((number, at) => at === 0 || number > (first[at - 1] ?? 0))).toBe(true);
  expect(numbers).toEqual([first, first, first]);
});

describe("a member with much to apply", () => {
  test("sends heartbeats in between", async () => {
    const group = await electedGroup();
    const { id, node, journal } = group.leader;
    const { term } = node;
    for (const { store } of group.members.values()) store.hold();
    for (let at = 0; at < 3_000; at++) void node.propose(text(`${at}`));
    await group.settle();
    // From now on each command takes a millisecond, everywhere.
    journal.onApply = () => void group.time.nowMs++;
    const before = group.sent.length;
    for (const { store } of group.members.values()) store.release();
    await group.advance(3_500);
    expect(commands(group.member(id))).toHaveLength(3_000);
    const heartbeats = group.sent.slice(before).filter(({ type, from }) => type === "heartbeat" && from === id);
    expect(heartbeats.length).toBeGreaterThan(2 * 15);
    expect([group.leader.id, group.leader.node.term]).toEqual([id, term]);
  });
});

describe("with lease reads", () => {
  test("a leader answers without asking anybody, and asks again when the lease is over", async () => {
    const group = await electedGroup({ leaseReads: { driftPpm: 1_000 } });
    const { node } = group.leader;
    const before = group.sent.length;
    const seen = watched(node.readBarrier());
    await group.settle();
    expect(seen.value).toBeGreaterThan(0);
    expect(group.sent).toHaveLength(before);
    for (const { id } of group.followers) group.stopped.add(id);
    await group.advance(990);
    const late = watched(node.readBarrier());
    await group.settle();
    expect(late.value).toBeNull();
  });
});

test("a store that fails while nothing is asked of it stops its member at the next tick", async () => {
  const group = await electedGroup();
  const { leader } = group;
  await group.advance(1_000);
  expect(leader.failures).toEqual([]);
  leader.store.failure = new Error("The disk is gone");
  await group.advance(25);
  expect(leader.failures).toEqual([leader.store.failure]);
  await expect(leader.node.propose(text("a"))).rejects.toMatchObject({ code: "ERR_STOPPED" });
});

test("a checker may look into a member", async () => {
  const group = await electedGroup();
  void group.leader.node.propose(text("a"));
  await group.settle();
  const view = group.leader.node.inspect();
  const { lastIndex } = view.status();
  expect(view.entryAt(lastIndex)).toMatchObject({ index: lastIndex, kind: "command" });
  expect(view.entryAt(lastIndex + 1)).toBeUndefined();
});
