import { beforeEach, describe, expect, test } from "vitest";
import { readIdentity } from "./directory-identity.ts";
import { LogStoreError } from "./log-store-error.ts";
import {
  chunksOf,
  hardState,
  LineLogger,
  openTestStore,
  readSnapshotBytes,
  snapshotMeta,
  testBytes,
  testEntries,
  testIdentity,
} from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

let disk: MemoryDisk;
let storeId: bigint;
/** The meta file as it was before the last term began. */
let olderMeta: Uint8Array;

beforeEach(async () => {
  disk = new MemoryDisk();
  const store = await openTestStore(disk);
  storeId = store.storeId;
  await store.append({ hardState: hardState(1, 1, 4), entries: testEntries(1, 4, 1) });
  for (const index of [2, 3]) await store.saveSnapshot(snapshotMeta(index, 1), chunksOf(testBytes(10, index)));
  olderMeta = disk.peek("/data/meta");
  await store.append({ hardState: hardState(3), entries: testEntries(5, 5, 3) });
  await store.close();
});

function contents(): readonly (readonly [string, string])[] {
  return disk.files().map((path) => [path, Buffer.from(disk.peek(path)).toString("base64")]);
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "resolved",
    (reason: unknown) => (reason instanceof LogStoreError ? reason.code : reason),
  );
}

const problems: readonly (readonly [string, RegExp, () => void])[] = [
  ["is gone", /data\/meta is missing but .* exists: term and vote are lost/, () => disk.lose("/data/meta")],
  ["has no sound copy", /data\/meta has no valid copy at offset 0 or 16384/, () => disk.poke("/data/meta", new Uint8Array(53_248).fill(7))],
  [
    "is older than the log",
    /has term 3 at offset \d+, the meta file knows 1: the meta file is older/,
    () => disk.poke("/data/meta", olderMeta),
  ],
];

describe.each(problems)("a directory whose meta file %s", (_, description, damage) => {
  test("is opened without a change, and quarantines the member", async () => {
    damage();
    const before = contents();
    const logger = new LineLogger();
    const store = await openTestStore(disk, { logger });
    expect(store.recovered).toEqual({
      hardState: { term: 1, vote: 0, commit: 3 },
      snapshot: snapshotMeta(3, 1),
      replay: null,
      entries: [],
      logBytes: 0,
      quarantine: { kind: "storage", description: expect.stringMatching(description) },
      lost: null,
    });
    expect(String(store.recovered.quarantine && Object.values(store.recovered.quarantine)[1])).toContain("was changed");
    expect(logger.at("error")).toEqual(["the term and vote of this member are lost, it takes no part any more"]);
    expect(store.storeId).toBe(storeId);
    await store.close();
    expect(contents()).toEqual(before);
    expect(disk.openFiles).toBe(0);
  });

  test("gives its snapshot and takes nothing", async () => {
    damage();
    const before = contents();
    const store = await openTestStore(disk);
    expect(await readSnapshotBytes(store)).toEqual(testBytes(10, 3));
    const calls = [
      store.append({ hardState: hardState(9), entries: [] }),
      store.saveSnapshot(snapshotMeta(4, 1), chunksOf()),
      store.receiveSnapshot(snapshotMeta(9, 1), chunksOf()),
      store.installSnapshot(snapshotMeta(9, 1), null),
      store.discardSnapshot(snapshotMeta(9, 1)),
      store.compact(1),
      store.endRepair(),
    ];
    expect(new Set(await Promise.all(calls.map(codeOf)))).toEqual(new Set(["ERR_QUARANTINED"]));
    await store.recordQuarantine({ kind: "storage", description: "more" });
    expect(store.metrics()).toMatchObject({ batches: 0, entries: 0, bytes: 0 });
    await store.close();
    await store.close();
    expect(await codeOf(store.readSnapshot())).toBe("ERR_CLOSED");
    expect(contents()).toEqual(before);
  });

  test("is held by one process, and tells whose it is", async () => {
    damage();
    const store = await openTestStore(disk);
    expect(await codeOf(openTestStore(disk))).toBe("ERR_DATA_DIR_LOCKED");
    expect(await readIdentity(disk, "/data")).toEqual(testIdentity);
    await store.close();
    expect(await codeOf(openTestStore(disk, { identity: { ...testIdentity, memberId: 5n } }))).toBe("ERR_IDENTITY");
  });
});

describe("a directory without a meta file", () => {
  beforeEach(() => disk.lose("/data/meta"));

  test("gives the newest snapshot that is sound", async () => {
    const newest = disk.files("/data/snap").at(-1) ?? "";
    disk.poke(newest, disk.peek(newest).with(4_200, 0));
    const store = await openTestStore(disk);
    expect(store.recovered.snapshot?.index).toBe(2);
    expect(await readSnapshotBytes(store)).toEqual(testBytes(10, 2));
    await store.close();
  });

  test("is known by its snapshots if no segment is left", async () => {
    for (const path of disk.files("/data/wal")) disk.lose(path);
    expect(await readIdentity(disk, "/data")).toEqual(testIdentity);
    const store = await openTestStore(disk, { seed: 77 });
    expect(store.storeId).toBe(storeId);
    expect(store.recovered.snapshot?.index).toBe(3);
    await store.close();
    expect(await codeOf(openTestStore(disk, { identity: { ...testIdentity, clusterId: 5n } }))).toBe("ERR_IDENTITY");
  });

  test("is not taken for a new one as long as a damaged file lies aside", async () => {
    for (const path of disk.files("/data")) disk.lose(path);
    expect(await readIdentity(disk, "/data")).toBeNull();
    await disk.makeDirectory("/data/damaged");
    disk.poke("/data/damaged/0000000000000002-decision.txt", new Uint8Array(3));
    const store = await openTestStore(disk);
    expect(store.recovered.quarantine?.kind).toBe("storage");
    expect(store.recovered.snapshot).toBeNull();
    expect(store.storeId).not.toBe(0n);
    await store.close();
  });
});
