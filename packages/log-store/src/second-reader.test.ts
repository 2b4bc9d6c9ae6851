import { describe, expect, test } from "vitest";
import { makeSampleDirectory, type SampleOptions } from "./sweeps/sample-directory.ts";
import { damageCases } from "./testing/damage-cases.ts";
import { makeSoundDirectory } from "./testing/damaged-directory.ts";
import { openTestStore, readSnapshotBytes, testEntries, testIdentity } from "./testing/fixture.ts";
import type { MemoryDisk } from "./testing/memory-disk.ts";
import { readDirectoryAgain, type SecondReading } from "./testing/second-reader.ts";

function readAgain(disk: MemoryDisk): SecondReading {
  return readDirectoryAgain(new Map(disk.files("/data").map((path) => [path.slice("/data/".length), Buffer.from(disk.peek(path))])));
}

const kinds = ["command", "configuration", "empty"];

/** Opens the directory, and expects of the second reader all that the store found, before and after. */
async function expectSameReading(disk: MemoryDisk): Promise<void> {
  const before = readAgain(disk);
  const store = await openTestStore(disk, { seed: 70 });
  const { hardState, snapshot, entries } = store.recovered;
  const state = await readSnapshotBytes(store);
  const seen = {
    term: BigInt(hardState.term),
    vote: BigInt(hardState.vote),
    commitIndex: BigInt(hardState.commit),
    storeId: store.storeId,
    entries: entries.map(({ index, term, kind, data }) => [
      BigInt(index),
      BigInt(term),
      kinds.indexOf(kind),
      Buffer.from(data).toString("hex"),
    ]),
    snapshot:
      snapshot === null || state === null
        ? null
        : {
            index: BigInt(snapshot.index),
            term: BigInt(snapshot.term),
            voters: snapshot.configuration.voters.map(BigInt),
            state: Buffer.from(state).toString("hex"),
          },
  };
  expect(before).toMatchObject({ ...testIdentity, ...seen });
  await store.close();
  expect(readAgain(disk)).toMatchObject({ ...testIdentity, ...seen });
}

describe("a reader that was written after the document alone", () => {
  const logs = ["whole", "compacted", "installed"] as const;
  const lives: readonly SampleOptions[] = logs.flatMap((log) => [
    { end: "closed", log },
    { end: "killed", log },
  ]);

  test.each(lives)("reads the same from a directory: %j", async (options) => {
    const { disk, acknowledged } = await makeSampleDirectory(options);
    expect(readAgain(disk)).toMatchObject({ term: BigInt(acknowledged.term), vote: BigInt(acknowledged.vote) });
    await expectSameReading(disk);
  });

  test.each(damageCases)("reads the same after a start on a directory: $what", async ({ made, damage, lastIndex }) => {
    const { disk } = await makeSoundDirectory(made);
    damage(disk);
    const store = await openTestStore(disk, { seed: 2 });
    const term = store.recovered.hardState.term;
    await store.append({ hardState: null, entries: testEntries(lastIndex + 1, lastIndex + 3, term) });
    await store.close();
    await expectSameReading(disk);
  });
});
