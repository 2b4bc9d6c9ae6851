import type { LogEntry } from "@raftkv/raft-core";
import type { LogStore, RecoveredLog } from "@raftkv/raft-node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LogStoreError } from "./log-store-error.ts";
import { emptyModel, type Model, scenario, snapshotBytes } from "./testing/crash-scenario.ts";
import { openTestStore, readSnapshotBytes, wholeRecovery } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { TestClock } from "./testing/test-clock.ts";

/** One thing that happens to a file of the log or to a snapshot. Rubbish has no zeros: it never looks like a write that was lost. */
interface Fault {
  readonly kind: "flip" | "rubbish" | "cut" | "gone";
  /** Which file, and where in it, as parts of a million. */
  readonly file: number;
  readonly place: number;
}

const fault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.constantFrom("flip" as const, "flip" as const, "rubbish" as const, "cut" as const, "gone" as const),
  file: fc.nat(999_999),
  place: fc.nat(999_999),
});

function strike(disk: MemoryDisk, { kind, file, place }: Fault): void {
  const files = [...disk.files("/data/wal"), ...disk.files("/data/snap")];
  const path = files[Math.floor((file / 1_000_000) * files.length)];
  if (path === undefined || disk.peek(path).length === 0) return;
  const bytes = disk.peek(path);
  const at = Math.floor((place / 1_000_000) * bytes.length);
  if (kind === "gone") disk.lose(path);
  else if (kind === "cut") disk.poke(path, bytes.subarray(0, at));
  else if (kind === "flip") disk.poke(path, bytes.with(at, (bytes[at] ?? 0) ^ (1 << (place & 7))));
  else disk.poke(path, bytes.fill(0xc3, at - (at % 4_096), at - (at % 4_096) + 4_096));
}

/** The scenario up to a step, then a stop. */
async function live(steps: number): Promise<{ readonly disk: MemoryDisk; readonly model: Model }> {
  const disk = new MemoryDisk();
  const clock = new TestClock();
  const store = await openTestStore(disk, { seed: 1, clock });
  let model = emptyModel;
  for (const { calls } of scenario.slice(0, steps)) {
    await Promise.all(calls.map((call) => call.run(store, clock)));
    for (const call of calls) model = call.apply(model);
  }
  await store.close();
  return { disk, model };
}

/** What is wrong with what a store says that it has, or null. */
function findLie(recovered: RecoveredLog, state: Uint8Array | null, model: Model): string | null {
  const { snapshot, entries, lost, hardState } = recovered;
  const lastIndex = model.entries.at(-1)?.index ?? model.snapshotIndex;
  const from = lost?.from ?? lastIndex + 1;
  const snapshotIndex = snapshot?.index ?? 0;
  if (hardState.term !== model.term || hardState.vote !== model.vote) return `term ${hardState.term} and vote ${hardState.vote}`;
  if (state?.join() !== (snapshotIndex === 0 ? undefined : snapshotBytes(snapshotIndex).join())) return `another state at ${snapshotIndex}`;
  if (hardState.commit >= from) return `commit ${hardState.commit}, but sure only of what is before ${from}`;
  if (lost === null && (entries.at(-1)?.index ?? snapshotIndex) !== lastIndex) return `the log ends at ${entries.at(-1)?.index ?? 0}`;
  const acknowledged = new Map(model.entries.map((entry) => [entry.index, entry]));
  const found = new Map(entries.map((entry) => [entry.index, entry]));
  for (let index = snapshotIndex + 1; index < from; index++) {
    const [one, other] = [found.get(index), acknowledged.get(index)];
    if (one === undefined) return `entry ${index} is missing, below ${from}`;
    if (other !== undefined ? !equal(one, other) : index > model.snapshotIndex) return `entry ${index} is not what was acknowledged`;
  }
  return null;
}

function equal(a: LogEntry, b: LogEntry): boolean {
  return a.term === b.term && Buffer.compare(a.data, b.data) === 0;
}

test("whatever is damaged in log and snapshots, a store tells what is lost, keeps term and vote, and can be repaired", async () => {
  let [intact, lost, refused] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: scenario.length }),
      fc.array(fault, { minLength: 1, maxLength: 3 }),
      fc.array(fault, { maxLength: 1 }),
      fc.constantFrom(1e9, 9_000, 0),
      async (steps, faults, later, recoveredBytesMax) => {
        const { disk, model } = await live(steps);
        for (const next of faults) strike(disk, next);
        let store: LogStore;
        try {
          store = await openTestStore(disk, { seed: 2, recoveredBytesMax });
          await store.close();
          // Damaged again while it is under repair.
          for (const next of later) strike(disk, next);
          store = await openTestStore(disk, { seed: 3, recoveredBytesMax });
        } catch (reason) {
          if (!(reason instanceof LogStoreError) || reason.code === "ERR_STORAGE_FAILED") throw reason;
          refused += 1;
          return;
        }
        expect(findLie(await wholeRecovery(store), await readSnapshotBytes(store), model)).toBeNull();
        if (store.recovered.lost === null) intact += 1;
        else lost += 1;
        await store.endRepair();
        await store.close();
        const again = await openTestStore(disk, { seed: 4 });
        expect(again.recovered.lost).toBeNull();
        await again.close();
        expect(disk.openFiles).toBe(0);
      },
    ),
    { numRuns: 400 },
  );
  expect(Math.min(intact, lost)).toBeGreaterThan(40);
  expect(refused).toBe(0);
});
