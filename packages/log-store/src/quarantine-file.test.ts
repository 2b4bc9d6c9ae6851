import { isDeepStrictEqual } from "node:util";
import type { QuarantineEvidence } from "@raftkv/raft-core";
import { DiskError } from "@raftkv/raft-node";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { decodeQuarantine, encodeQuarantine, readQuarantine, writeQuarantine } from "./quarantine-file.ts";
import { hardState, openTestStore, testEntry } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

const evidence: QuarantineEvidence = { kind: "commit_beyond_log", commit: 1_000, lastIndex: 12, from: 2 ** 53 - 1 };
const path = "/data/quarantine";
let disk = new MemoryDisk();

beforeEach(async () => {
  disk = new MemoryDisk();
  await disk.makeDirectory("/data");
});

/** What a member is told that knows no more than that it was quarantined. */
function unexplained(what: RegExp): object {
  return { kind: "storage", description: expect.stringMatching(what) };
}

describe("the quarantine file", () => {
  test("can be read by a person", async () => {
    await writeQuarantine(disk, "/data", evidence);
    const text = new TextDecoder().decode(disk.peek(path));
    expect(text).toMatch(/^RKVQUAR1 [0-9a-f]{8}\ncommit_beyond_log commit 1000 lastIndex 12 from 9007199254740991\n$/);
    expect(disk.files()).toEqual([path]);
  });

  test("gives back any evidence", () => {
    const number = fc.maxSafeNat();
    const any = fc.oneof(
      fc.record({ kind: fc.constant("commit_beyond_log" as const), commit: number, lastIndex: number, from: number }),
      fc.record({ kind: fc.constant("conflicts_with_committed" as const), index: number, term: number, from: number }),
      fc.record({ kind: fc.constant("storage" as const), description: fc.string({ unit: "grapheme", maxLength: 200 }) }),
    );
    fc.assert(
      fc.property(any, (one) => {
        expect(decodeQuarantine(encodeQuarantine(one))).toEqual(one);
      }),
    );
  });

  test("keeps the beginning of a description that has no end", async () => {
    await writeQuarantine(disk, "/data", { kind: "storage", description: "数".repeat(100_000) });
    expect(await readQuarantine(disk, "/data")).toEqual({ kind: "storage", description: "数".repeat(4_096) });
  });

  test("quarantines the member also when any one bit or any end of it is lost", async () => {
    const whole = encodeQuarantine(evidence);
    const damaged = Array.from({ length: whole.length * 8 }, (_, bit) => {
      const bytes = whole.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes;
    });
    const cut = Array.from({ length: whole.length }, (_, length) => whole.slice(0, length));
    for (const bytes of [...damaged, ...cut, new Uint8Array(100_000)]) {
      disk.poke(path, bytes);
      expect(await readQuarantine(disk, "/data")).toEqual(unexplained(/^\/data\/quarantine says .* not why: it is damaged$/));
    }
  });

  test("quarantines the member also when it can't be read", async () => {
    await writeQuarantine(disk, "/data", evidence);
    disk.before = ({ name }) => {
      if (name === "read") throw new DiskError("io", path, "a bad sector");
    };
    expect(await readQuarantine(disk, "/data")).toEqual(unexplained(/not why: a bad sector$/));
  });

  test("that is not there says nothing", async () => {
    expect(await readQuarantine(disk, "/data")).toBeNull();
  });
});

describe("a store that records a quarantine", () => {
  test("finds it or does not after a power loss at any call, and always once it was acknowledged", async () => {
    const found = { acknowledged: [] as unknown[], failed: [] as unknown[] };
    for (let call = 1; found.acknowledged.length === 0; call++) {
      for (const survives of [true, false]) {
        const crashing = new MemoryDisk();
        const store = await openTestStore(crashing);
        crashing.crashAtCall(crashing.callCount + call);
        const outcome = await store.recordQuarantine(evidence).then(
          () => found.acknowledged,
          () => found.failed,
        );
        const again = await openTestStore(crashing.afterPowerLoss(() => survives));
        outcome.push(again.recovered.quarantine);
        await again.close();
      }
    }
    expect(found.acknowledged).toEqual([evidence, evidence]);
    expect(found.failed.length).toBeGreaterThan(8);
    expect(found.failed.filter((one) => one !== null).every((one) => isDeepStrictEqual(one, evidence))).toBe(true);
  });

  test("does so also after its log has failed", async () => {
    const store = await openTestStore(disk);
    disk.before = ({ name, path: file }) => {
      if (name === "writeDurably") throw new DiskError("io", file, "a bad sector");
    };
    await expect(store.append({ hardState: hardState(1), entries: [testEntry(1, 1)] })).rejects.toThrow(/bad sector/);
    await store.recordQuarantine(evidence);
    await store.close();
    expect(await readQuarantine(disk, "/data")).toEqual(evidence);
  });

  test("tells what went wrong, and goes on with the log", async () => {
    const store = await openTestStore(disk);
    disk.before = ({ name, path: file }) => {
      if (name === "open" && file.endsWith("quarantine.tmp")) throw new DiskError("no-space", file, "no space");
    };
    await expect(store.recordQuarantine(evidence)).rejects.toMatchObject({ code: "ERR_DISK_FULL" });
    await store.append({ hardState: hardState(1), entries: [testEntry(1, 1)] });
    await store.close();
  });
});

test("a directory of which only the quarantine is left is not taken for a new one", async () => {
  await writeQuarantine(disk, "/data", evidence);
  const store = await openTestStore(disk);
  expect(store.recovered.quarantine).toMatchObject({
    kind: "storage",
    description: expect.stringMatching(/data\/quarantine exists/),
  });
  await store.close();
});
