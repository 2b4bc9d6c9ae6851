import { afterEach, expect, test } from "vitest";
import { putPath } from "../load/workload.ts";
import { MemoryMember, type PutFault } from "../testing/memory-member.ts";
import { ProbeWrites } from "./probe-writes.ts";
import { readBack } from "./read-back.ts";

const members: MemoryMember[] = [];

afterEach(async () => {
  for (const member of members.splice(0)) await member.close();
});

/** Makes `count` puts at a member that does `fault` with the second one, and reads them back. */
async function readBackAfter(count: number, fault: PutFault | null, writes = new ProbeWrites(12)): Promise<readonly string[]> {
  const member = await MemoryMember.start((put) => (put === 2 ? fault : null));
  members.push(member);
  for (let put = 0; put < count; put++) await putOne(member, writes);
  return readBack([{ name: "m1", channel: member.channel }], writes);
}

async function putOne({ channel }: MemoryMember, writes: ProbeWrites): Promise<void> {
  const number = writes.next();
  const answer = await channel.unary(putPath, writes.request(number)).catch(() => null);
  if (answer !== null) writes.noteAcknowledged(number);
}

test("a member that has every acknowledged put passes", async () => {
  expect(await readBackAfter(3, null)).toEqual([]);
});

test("a put that was not acknowledged may be missing", async () => {
  expect(await readBackAfter(3, "refuses")).toEqual([]);
});

test.each([
  ["loses", "m1 lost put 1, trial 12"],
  ["repeats", "m1 made put 1 2 times, trial 12"],
  ["garbles", "m1 has another value than put 1, trial 12"],
] as const)("a member that %s a put is found", async (fault, problem) => {
  expect(await readBackAfter(3, fault)).toEqual([problem]);
});

test("more puts than a page holds are read to their end", async () => {
  expect(await readBackAfter(2001, null)).toEqual([]);
});

test("a key that was never put is found, and keys of other trials are not looked at", async () => {
  const [writes, stranger, other] = [new ProbeWrites(12), new ProbeWrites(12), new ProbeWrites(13)];
  const member = await MemoryMember.start();
  members.push(member);
  await putOne(member, writes);
  for (let put = 0; put < 2; put++) await putOne(member, stranger);
  await putOne(member, other);
  const problems = await readBack([{ name: "m1", channel: member.channel }], writes);
  expect(problems).toEqual([
    "m1 made put 0 2 times, trial 12",
    "m1 has a key that was never put: raftkv-failover/000012/00000001, trial 12",
  ]);
});

test("keys tell their trial and number", () => {
  const writes = new ProbeWrites(7);
  for (let put = 0; put < 3; put++) writes.next();
  expect(writes.numberOf(writes.key(2))).toBe(2);
  expect(writes.numberOf(writes.key(3))).toBeNull();
  expect(writes.numberOf(new ProbeWrites(8).key(2))).toBeNull();
  expect(writes.numberOf(Buffer.from("raftkv-failover/000007/0000000x"))).toBeNull();
});
