import { afterEach, expect, test } from "vitest";
import { MemoryMember, type PutFault } from "../testing/memory-member.ts";
import { ProbeLoad } from "./probe-load.ts";
import { ProbeWrites } from "./probe-writes.ts";
import type { Acknowledgement } from "./trial-timeline.ts";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function startMember(faultOf?: (putNumber: number) => PutFault | null): Promise<MemoryMember> {
  const member = await MemoryMember.start(faultOf);
  closers.push(() => member.close());
  return member;
}

interface Probed {
  readonly writes: ProbeWrites;
  readonly errors: ReadonlyMap<string, number>;
  readonly acknowledgements: readonly Acknowledgement[];
}

/** Probes the members until `enough`. */
async function probe(members: readonly MemoryMember[], enough: (probed: Probed) => boolean): Promise<Probed> {
  const acknowledgements: Acknowledgement[] = [];
  const writes = new ProbeWrites(12);
  const channels = members.map(({ channel }) => channel);
  const load = new ProbeLoad({ channels, writes, onAcknowledged: (acknowledgement) => acknowledgements.push(acknowledgement) });
  const probed = { writes, errors: load.errors, acknowledgements };
  load.start();
  while (!enough(probed)) await new Promise((resolve) => setTimeout(resolve, 1));
  load.stop();
  return probed;
}

/** What came through each of two. */
function bySurvivorOf({ acknowledgements }: Pick<Probed, "acknowledgements">): readonly (readonly Acknowledgement[])[] {
  return [0, 1].map((survivor) => acknowledgements.filter((one) => one.survivor === survivor));
}

test("puts go through the survivors in turns, each of a key of its own, and say the survivor's term", async () => {
  const members = [await startMember(), await startMember()];
  for (const [place, member] of members.entries()) member.term = 5 + place;
  const { writes, acknowledgements } = await probe(members, (probed) => bySurvivorOf(probed).every(({ length }) => length >= 9));
  const bySurvivor = bySurvivorOf({ acknowledgements });
  expect(bySurvivor.map((some) => [...new Set(some.map(({ term }) => term))])).toEqual([[5], [6]]);
  for (const { sentMs, acknowledgedMs } of acknowledgements) expect(acknowledgedMs).toBeGreaterThan(sentMs);
  expect(writes.acknowledged.size).toBe(acknowledgements.length);
  expect(writes.sent).toBeGreaterThanOrEqual(acknowledgements.length);
});

test("a put that is refused is counted, and does not keep the next ones back", async () => {
  const member = await startMember((put) => (put <= 5 ? "refuses" : null));
  const { errors, acknowledgements } = await probe([member], (probed) => probed.acknowledgements.length >= 3);
  expect([...errors]).toEqual([["UNAVAILABLE etcdserver: leader changed", 5]]);
  expect(acknowledgements.length).toBeGreaterThanOrEqual(3);
});
