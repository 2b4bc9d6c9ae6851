import { afterEach, expect, test } from "vitest";
import { EachKeyOnce } from "./load/key-source.ts";
import { KeySpace } from "./load/key-space.ts";
import { generateLoad } from "./load/load-generator.ts";
import { buildWorkload } from "./load/workload.ts";
import { WriteLedger } from "./load/write-ledger.ts";
import { MemoryMember, type PutFault } from "./testing/memory-member.ts";
import { readRevision, type Verification, verify } from "./verification.ts";

const keys = new KeySpace({ count: 40, valueBytes: 16, seed: 3 });
const puts = 3 * keys.count;
const members: MemoryMember[] = [];

afterEach(async () => {
  for (const member of members.splice(0)) await member.close();
});

/** Writes every key three times to a member that does `fault` with one put, and verifies. */
async function verifyWith(fault: PutFault | null, faultyPut: number): Promise<Verification> {
  const member = await MemoryMember.start((put) => (put === faultyPut ? fault : null));
  members.push(member);
  const firstRevision = await readRevision(member.channel);
  const ledger = new WriteLedger(keys.count);
  const workload = buildWorkload("put", keys);
  const { signal } = new AbortController();
  for (let pass = 1; pass <= 3; pass++) {
    const source = new EachKeyOnce(keys.count);
    await generateLoad({
      channels: [member.channel],
      inFlight: 1,
      workload,
      keys: source,
      durationMs: Number.POSITIVE_INFINITY,
      ledger,
      signal,
    });
  }
  return verify({ members: [{ name: "m1", channel: member.channel }], keys, ledger, firstRevision });
}

test("a member that has every write passes", async () => {
  expect(await verifyWith(null, 0)).toEqual({ keysChecked: keys.count, membersChecked: 1, problems: [] });
});

test("a refused put makes no problem: it may be there or not", async () => {
  expect((await verifyWith("refuses", 5)).problems).toEqual([]);
});

test("an acknowledged put that is not there is found by the key's version and by the revision", async () => {
  expect((await verifyWith("loses", 85)).problems).toEqual([
    `m1: its revision grew by ${puts - 1}, but ${puts} puts were acknowledged of ${puts}`,
    "m1: key 4 has version 2, but 3 puts were acknowledged of 3",
  ]);
});

test("a put that was applied twice is found", async () => {
  expect((await verifyWith("repeats", 6)).problems).toEqual([
    `m1: its revision grew by ${puts + 1}, but ${puts} puts were acknowledged of ${puts}`,
    "m1: key 5 has version 4, but 3 puts were acknowledged of 3",
  ]);
});

test("another value than the one that was put is found", async () => {
  expect((await verifyWith("garbles", 120)).problems).toEqual(["m1: key 39 has another value than was put"]);
});

test("a member that has nothing fails with a few of its problems", async () => {
  const empty = await MemoryMember.start();
  members.push(empty);
  const ledger = new WriteLedger(keys.count);
  for (let key = 0; key < keys.count; key++) {
    ledger.noteSent(key);
    ledger.noteAcknowledged(key);
  }
  const { problems } = await verify({ members: [{ name: "m2", channel: empty.channel }], keys, ledger, firstRevision: 1 });
  expect(problems.slice(0, 3)).toEqual([
    "m2: its revision grew by 0, but 40 puts were acknowledged of 40",
    "m2: it has 0 keys, 40 were written",
    "m2: key 0 is missing",
  ]);
  expect(problems).toHaveLength(20);
});
