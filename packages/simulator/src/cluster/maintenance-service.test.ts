import { create, etcdserverpb } from "@raftkv/api";
import { inspectSnapshotFile } from "@raftkv/server";
import { describe, expect, test } from "vitest";
import { type ApiClient, deletionOf, putOf, rangeOf, runCluster, text } from "../testing/api-client.ts";

const { AlarmRequest_AlarmAction: Action, AlarmType } = etcdserverpb;
const timeoutMs = 5_000;
const noSpace = { code: 8, message: "etcdserver: mvcc: database space exceeded" };

function alarmsOf({ maintenance }: ApiClient): Promise<etcdserverpb.AlarmResponse> {
  return maintenance.alarm(create(etcdserverpb.AlarmRequestSchema, {}), { timeoutMs });
}

function statusOf({ maintenance }: ApiClient): Promise<etcdserverpb.StatusResponse> {
  return maintenance.status(create(etcdserverpb.StatusRequestSchema, {}), { timeoutMs });
}

describe("The quota", () => {
  test("refuses what takes space on all members, until space has been there again for a while", async () => {
    const { cluster, atFollower, clients } = await runCluster(11, ["--quota-backend-bytes=200000"]);
    const { simulation } = cluster;
    const value = "v".repeat(10_000);
    await simulation.drive(async () => {
      const fill = async (): Promise<void> => {
        for (let i = 0; i < 100; i++) await atFollower.kv.put(putOf(`k${i % 5}`, value), { timeoutMs });
      };
      await expect(fill()).rejects.toMatchObject(noSpace);
    });
    await simulation.runFor(1_000);
    await simulation.drive(async () => {
      const { alarms } = await alarmsOf(atFollower);
      expect(alarms).toMatchObject([{ alarm: AlarmType.NOSPACE }]);
      const { errors, dbSizeInUse, dbSizeQuota } = await statusOf(atFollower);
      expect(errors).toEqual([`memberID:${alarms[0]?.memberID} alarm:NOSPACE `]);
      expect(dbSizeQuota).toBe(200_000n);
      expect(dbSizeInUse).toBeGreaterThan(180_000n);
      for (const client of clients) {
        await expect(client.kv.put(putOf("x", "1"), { timeoutMs })).rejects.toMatchObject(noSpace);
        expect((await client.kv.range(rangeOf("k0"), { timeoutMs })).count).toBe(1);
        const operation = client.raftkv.update(
          { key: text("x"), value: text("1"), clientId: 0n, sequence: 0, lowestAwaited: 0 },
          { timeoutMs },
        );
        const refusal = { status: "bad-request", message: expect.stringContaining("The store has reached its quota") };
        expect((await operation).status === "redirect" ? refusal : await operation).toMatchObject(refusal);
      }
      const { header } = await atFollower.kv.deleteRange(deletionOf("k0"), { timeoutMs });
      await atFollower.kv.compact(create(etcdserverpb.CompactionRequestSchema, { revision: BigInt(header.revision) }), { timeoutMs });
    });
    await simulation.runFor(4_000);
    expect((await simulation.drive(() => alarmsOf(atFollower))).alarms).toHaveLength(1);
    await simulation.runFor(4_000);
    expect((await simulation.drive(() => alarmsOf(atFollower))).alarms).toEqual([]);
    expect((await simulation.drive(() => atFollower.kv.put(putOf("x", "1"), { timeoutMs }))).header.revision).toBeGreaterThan(2);
  });
});

describe("Alarms", () => {
  test("are raised and ended by hand, for all members", async () => {
    const { cluster, atFollower, atLeader } = await runCluster(12);
    const alarm = { memberID: 77n, alarm: AlarmType.CORRUPT };
    const change = (action: etcdserverpb.AlarmRequest_AlarmAction) =>
      cluster.simulation.drive(() =>
        atFollower.maintenance.alarm(create(etcdserverpb.AlarmRequestSchema, { action, ...alarm }), { timeoutMs }),
      );
    expect((await change(Action.ACTIVATE)).alarms).toMatchObject([alarm]);
    const put = cluster.simulation.drive(() => atLeader.kv.put(putOf("a", "1"), { timeoutMs }));
    await expect(put).rejects.toMatchObject({ code: 15, message: "etcdserver: corrupt cluster" });
    expect((await change(Action.DEACTIVATE)).alarms).toMatchObject([alarm]);
    expect((await change(Action.DEACTIVATE)).alarms).toEqual([]);
    expect((await cluster.simulation.drive(() => atLeader.kv.put(putOf("a", "1"), { timeoutMs }))).header.revision).toBe(2);
  });
});

describe("The hash of the keys", () => {
  test("is the same on every member, and another at another revision", async () => {
    const { cluster, clients, atLeader } = await runCluster(13);
    await cluster.simulation.drive(async () => {
      for (let i = 0; i < 20; i++) await atLeader.kv.put(putOf(`k${i % 3}`, `${i}`), { timeoutMs });
      await atLeader.kv.compact(create(etcdserverpb.CompactionRequestSchema, { revision: 8n }), { timeoutMs });
    });
    await cluster.simulation.runFor(1_000);
    const hashOf = ({ maintenance }: ApiClient, revision: bigint): Promise<etcdserverpb.HashKVResponse> =>
      cluster.simulation.drive(() => maintenance.hashKV(create(etcdserverpb.HashKVRequestSchema, { revision }), { timeoutMs }));
    const at = async (revision: bigint): Promise<number[]> => {
      const hashes: number[] = [];
      for (const client of clients) hashes.push((await hashOf(client, revision)).hash);
      return hashes;
    };
    for (const revision of [0n, 8n, 15n]) expect(new Set(await at(revision)).size).toBe(1);
    expect(await at(21n)).toEqual(await at(0n));
    expect(await at(15n)).not.toEqual(await at(0n));
    expect(await hashOf(atLeader, 0n)).toMatchObject({ compactRevision: 8n, hashRevision: 21n, header: { revision: 21n } });
    await expect(hashOf(atLeader, 7n)).rejects.toMatchObject({
      code: 11,
      message: "etcdserver: mvcc: required revision has been compacted",
    });
    await expect(hashOf(atLeader, 22n)).rejects.toMatchObject({ code: 11 });
  });
});

describe("A snapshot", () => {
  test("is streamed in blobs that count down to a sum, and holds what there was", async () => {
    const { cluster, atFollower } = await runCluster(14);
    const blobs: Uint8Array[] = [];
    await cluster.simulation.drive(async () => {
      for (let i = 0; i < 100; i++) await atFollower.kv.put(putOf(`k${i}`, "v".repeat(1_000)), { timeoutMs });
      const left: number[] = [];
      for await (const { blob, remainingBytes } of atFollower.maintenance.snapshot(create(etcdserverpb.SnapshotRequestSchema, {}))) {
        blobs.push(blob);
        left.push(Number(remainingBytes));
      }
      expect(Math.max(...blobs.map(({ length }) => length))).toBe(32 * 1024);
      expect(left).toEqual(left.toSorted((a, b) => b - a));
      expect(left.map((bytes) => bytes > 0)).toEqual([...left.slice(2).map(() => true), false, false]);
      const dataBytes = blobs.slice(0, -1).reduce((bytes, { length }) => bytes + length, 0);
      expect(left[0]).toBeGreaterThan(0.9 * dataBytes);
      expect(left[0]).toBeLessThan(1.2 * dataBytes);
      expect(blobs.at(-1)).toHaveLength(32);
    });
    const summary = await inspectSnapshotFile(each(blobs));
    expect(summary).toMatchObject({ keyCount: 100, revision: 101, compactRevision: -1 });
    expect(summary.sizeBytes % 512).toBe(32);
  });
});

test("A snapshot that its client leaves holds no compacted memory any more", async () => {
  const { cluster, atFollower } = await runCluster(17);
  const { kv, maintenance } = atFollower;
  const compaction = create(etcdserverpb.CompactionRequestSchema, { revision: 100n, physical: true });
  await cluster.simulation.drive(async () => {
    for (let i = 0; i < 100; i++) await kv.put(putOf(`k${i % 2}`, "v".repeat(100_000)), { timeoutMs });
    let isCompacted = false;
    const compacted = kv.compact(compaction, { timeoutMs }).then(() => {
      isCompacted = true;
    });
    for await (const { blob } of maintenance.snapshot(create(etcdserverpb.SnapshotRequestSchema, {}))) {
      if (blob.length === 32 * 1024) break;
    }
    expect(isCompacted).toBe(false);
    await compacted;
    expect(isCompacted).toBe(true);
  });
});

async function* each(blobs: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* blobs;
}

describe("Moving the leader", () => {
  test("is done by the leader, to another voter", async () => {
    const { cluster, atLeader, atFollower, clients } = await runCluster(15);
    const move = ({ maintenance }: ApiClient, targetID: bigint): Promise<unknown> =>
      cluster.simulation.drive(() => maintenance.moveLeader(create(etcdserverpb.MoveLeaderRequestSchema, { targetID }), { timeoutMs }));
    const idAt = (client: ApiClient): bigint => {
      const node = cluster.nodes[clients.indexOf(client)];
      return (node === undefined ? null : cluster.memberOn(node))?.context.memberId ?? 0n;
    };
    await expect(move(atFollower, idAt(atFollower))).rejects.toMatchObject({ code: 9, message: "etcdserver: not leader" });
    await expect(move(atLeader, 5n)).rejects.toMatchObject({ code: 9, message: "etcdserver: bad leader transferee" });
    await move(atLeader, idAt(atLeader));
    await move(atLeader, idAt(atFollower));
    expect((await cluster.simulation.drive(() => statusOf(atLeader))).leader).toBe(idAt(atFollower));
  });
});

test("What is not there yet says so plainly, and a defragmentation has nothing to do", async () => {
  const { cluster, atFollower } = await runCluster(16);
  const { simulation } = cluster;
  const { members, auth, maintenance } = atFollower;
  const added = simulation.drive(() => members.memberAdd(create(etcdserverpb.MemberAddRequestSchema, {}), { timeoutMs }));
  await expect(added).rejects.toMatchObject({ code: 12, message: "raftkv: members can't be added through the API in this version" });
  const enabled = simulation.drive(() => auth.authEnable(create(etcdserverpb.AuthEnableRequestSchema, {}), { timeoutMs }));
  await expect(enabled).rejects.toMatchObject({ code: 12, message: expect.stringContaining("users and roles are not available") });
  const downgraded = simulation.drive(() => maintenance.downgrade(create(etcdserverpb.DowngradeRequestSchema, {}), { timeoutMs }));
  await expect(downgraded).rejects.toMatchObject({ code: 12, message: "raftkv: a cluster can't be downgraded in this version" });
  await simulation.drive(() => maintenance.defragment(create(etcdserverpb.DefragmentRequestSchema, {}), { timeoutMs }));
});
