import { encodePutRequest, encodeRequestCommand, etcdserverpb } from "@raftkv/api";
import type { Clock, Timer } from "@raftkv/raft-node";
import { describe, expect, test } from "vitest";
import { MemberDirectory } from "../cluster/member-directory.ts";
import { NodeClock } from "../ports/node-clock.ts";
import { ReplicatedState } from "../state/replicated-state.ts";
import { inspectSnapshotFile, readSnapshotFile } from "./snapshot-file-reader.ts";
import { SnapshotFileWriter } from "./snapshot-file-writer.ts";

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const members = [{ id: 7n, name: "n1", peerUrls: ["http://127.0.0.1:2380"], clientUrls: [], storeId: 5n }];
const origin = { clusterId: 2n ** 64n - 1n, memberId: 7n, index: 90, term: 3 };
const clock = new NodeClock();

/** A millisecond, or another step, passes with each look at it; timers come at once, and are kept. */
class SteppingClock implements Clock {
  readonly delaysMs: number[] = [];
  private readonly stepMs: number;
  private nowMs = 0;

  constructor(stepMs = 1) {
    this.stepMs = stepMs;
  }

  /** The rests: timers that are not just a later turn. */
  get restsMs(): readonly number[] {
    return this.delaysMs.filter((delayMs) => delayMs > 0);
  }

  monotonicMs(): number {
    this.nowMs += this.stepMs;
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, wake: () => void): Timer {
    this.delaysMs.push(delayMs);
    queueMicrotask(wake);
    return { cancel: () => {} };
  }

  atEndOfTurn(wake: () => void): void {
    queueMicrotask(wake);
  }
}

function put(state: ReplicatedState, index: number, key: string, value: string): void {
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  const data = encodeRequestCommand("put", encodePutRequest({ key: text(key), value: text(value), ...flags }));
  state.apply({ index, term: 1, kind: "command", data }, data, index);
}

function filled(pairs: number): ReplicatedState {
  const state = new ReplicatedState(new MemberDirectory(members), 1);
  for (let i = 0; i < pairs; i++) put(state, 2 + i, `key-${i % 100}`, `value ${i}`);
  state.alarms.activate({ memberId: 7n, kind: etcdserverpb.AlarmType.NOSPACE });
  return state;
}

async function fileOf(state: ReplicatedState, whileWritten: () => void = () => {}): Promise<Uint8Array> {
  const writer = new SnapshotFileWriter({ state, origin, clock });
  whileWritten();
  const pieces: Uint8Array[] = [];
  for await (const piece of writer.pieces()) pieces.push(piece);
  writer.close();
  const file = Uint8Array.from(Buffer.concat(pieces));
  expect(pieces.at(-1)).toHaveLength(32);
  return file;
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("a snapshot file", () => {
  test("has a size that etcd's tools take: a multiple of 512 and the sum", async () => {
    for (const pairs of [0, 1, 7, 300]) expect((await fileOf(filled(pairs))).length % 512).toBe(32);
  });

  test("holds the state of the moment in which it was begun, and tells where it is from", async () => {
    const state = filled(300);
    const { revision } = state.store;
    const file = await fileOf(state, () => put(state, 500, "later", "write"));
    for (const size of [100, 511, 4096, file.length]) {
      const read = await readSnapshotFile(inPieces(file, size));
      expect(read.summary).toMatchObject({ ...origin, revision, compactRevision: -1, keyCount: 100, sizeBytes: file.length });
      expect(read.state.store.revision).toBe(revision);
      expect(read.state.store.find(text("key-99"))?.value).toEqual(text("value 299"));
      expect(read.state.store.find(text("later"))).toBe(null);
      expect(read.state.directory.members).toEqual(members);
      expect(read.state.alarms.all).toHaveLength(1);
    }
  });

  test.each([
    ["without a rest while nobody writes", 1, [], []],
    ["with a rest of fifteen times the work behind a chunk during which somebody wrote", 1, [2], [15]],
    ["with rests of 25 ms at most", 2, [2, 3], [25, 25]],
  ])("is made %s", async (_, stepMs, writtenAt, restsMs) => {
    const state = new ReplicatedState(new MemberDirectory(members), 1);
    for (let i = 0; i < 100; i++) put(state, 2 + i, `key-${i}`, "8 KiB a value".repeat(630));
    const slow = new SteppingClock(stepMs);
    const writer = new SnapshotFileWriter({ state, origin, clock: slow });
    let pieces = 0;
    for await (const _piece of writer.pieces()) if (writtenAt.includes(++pieces)) put(state, 3_000 + pieces, "key-1", "meanwhile");
    writer.close();
    expect(pieces).toBeGreaterThan(6);
    expect(slow.restsMs).toEqual(restsMs);
  });

  test("can be looked at without keeping what is in it", async () => {
    const file = await fileOf(filled(10));
    const summary = await inspectSnapshotFile(inPieces(file, 1000));
    expect(Buffer.from(summary.sha256)).toEqual(Buffer.from(file.subarray(-32)));
    expect(summary.sizeBytes).toBe(file.length);
  });

  test("that is cut off anywhere is refused", async () => {
    const file = await fileOf(filled(3));
    for (let length = 0; length < file.length; length += 13) {
      await expect(inspectSnapshotFile(inPieces(file.subarray(0, length), 300))).rejects.toThrow(
        /^The snapshot of \d+ bytes is cut off, or/,
      );
    }
  });

  test("in which any byte is changed is refused", async () => {
    const file = await fileOf(filled(3));
    for (let at = 0; at < file.length; at += 7) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      await expect(inspectSnapshotFile(inPieces(damaged, 300)), `byte ${at}`).rejects.toBeInstanceOf(Error);
      await expect(readSnapshotFile(inPieces(damaged, 300)), `byte ${at}`).rejects.toBeInstanceOf(Error);
    }
  });

  test("of another program, of a newer format or with something behind it is refused with a sentence", async () => {
    const file = await fileOf(filled(3));
    const newer = file.slice();
    newer[11] = 2;
    await expect(inspectSnapshotFile(inPieces(newer, 600))).rejects.toThrow(
      "The snapshot has format 2, this version reads 1; use a newer one",
    );
    const foreign = new Uint8Array(20_512);
    await expect(inspectSnapshotFile(inPieces(foreign, 600))).rejects.toThrow("the file does not begin with RaftKVsf");
    const longer = Buffer.concat([file, new Uint8Array(1)]);
    await expect(inspectSnapshotFile(inPieces(longer, 600))).rejects.toThrow(
      `The snapshot of ${longer.length} bytes is cut off, or has something behind its end`,
    );
    const doubled = Buffer.concat([file.subarray(0, -32), file.subarray(512)]);
    await expect(inspectSnapshotFile(inPieces(doubled, 600))).rejects.toThrow("The snapshot is damaged: expected sha256");
  });
});
