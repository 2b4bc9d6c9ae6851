import { create, etcdserverpb } from "@raftkv/api";
import { memberConfig, readOptions, restoreSnapshot } from "@raftkv/server";
import { describe, expect, test } from "vitest";
import { apiClients, deletionOf, putOf, rangeOf, runCluster } from "../testing/api-client.ts";
import { peerPort, SimulatedCluster } from "./simulated-cluster.ts";

const timeoutMs = 5_000;

/** A file of a cluster that has history, a lease and an alarm. */
async function takeSnapshot(): Promise<readonly Uint8Array[]> {
  const { cluster, atFollower } = await runCluster(31);
  const blobs: Uint8Array[] = [];
  await cluster.simulation.drive(async () => {
    for (let i = 0; i < 30; i++) await atFollower.kv.put(putOf(`k${i % 10}`, `v${i}`), { timeoutMs });
    await atFollower.kv.deleteRange(deletionOf("k0"), { timeoutMs });
    await atFollower.kv.compact(create(etcdserverpb.CompactionRequestSchema, { revision: 20n }), { timeoutMs });
    const alarm = create(etcdserverpb.AlarmRequestSchema, { action: 1, memberID: 7n, alarm: 1 });
    await atFollower.maintenance.alarm(alarm, { timeoutMs });
    const { maintenance } = atFollower;
    for await (const { blob } of maintenance.snapshot(create(etcdserverpb.SnapshotRequestSchema, {}), { timeoutMs })) blobs.push(blob);
  });
  return blobs;
}

async function* each(blobs: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* blobs;
}

/** A cluster in which the data directory of each member was made of the file. */
async function restoredCluster(blobs: readonly Uint8Array[]): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ seed: 32 });
  const founders = cluster.nodes.map(({ name }) => `${name}=http://${name}:${peerPort}`).join();
  await cluster.simulation.drive(async () => {
    for (const node of cluster.nodes) {
      const advertised = `--initial-advertise-peer-urls=http://${node.name}:${peerPort}`;
      const config = memberConfig(
        readOptions([`--name=${node.name}`, "--data-dir=/data", advertised, `--initial-cluster=${founders}`], {}),
      );
      const ports = node.start();
      expect(await restoreSnapshot({ config, ports, file: each(blobs) })).toMatchObject({ revision: 32, keyCount: 9 });
      await expect(restoreSnapshot({ config, ports, file: each(blobs) })).rejects.toThrow("data directory /data holds a member already");
      node.losePower();
    }
  });
  return cluster;
}

describe("A cluster that is made of a snapshot", () => {
  test("goes on from its revision, with its history, and without the alarms of the old cluster", async () => {
    const blobs = await takeSnapshot();
    const cluster = await restoredCluster(blobs);
    const { simulation } = cluster;
    await simulation.drive(() => cluster.startAll());
    const [client] = apiClients(cluster, simulation.addNode("client").start());
    if (client === undefined) throw new Error("There are three members");
    await simulation.runFor(5_000);
    await simulation.drive(async () => {
      expect(await client.kv.range(rangeOf("k9"), { timeoutMs })).toMatchObject({ count: 1, header: { revision: 32 } });
      expect(await client.kv.range(rangeOf("k0", { revision: 31 }), { timeoutMs })).toMatchObject({ count: 1 });
      await expect(client.kv.range(rangeOf("k0", { revision: 19 }), { timeoutMs })).rejects.toMatchObject({ code: 11 });
      expect((await client.maintenance.alarm(create(etcdserverpb.AlarmRequestSchema, {}), { timeoutMs })).alarms).toEqual([]);
      expect((await client.kv.put(putOf("new", "1"), { timeoutMs })).header.revision).toBe(33);
    });
    await simulation.runFor(1_000);
    const hashes: number[] = [];
    for (const { maintenance } of apiClients(cluster, simulation.addNode("reader").start())) {
      const request = create(etcdserverpb.HashKVRequestSchema, {});
      hashes.push((await simulation.drive(() => maintenance.hashKV(request, { timeoutMs }))).hash);
    }
    expect(new Set(hashes).size).toBe(1);
  });

  test("is not made of a file that is damaged", async () => {
    const blobs = await takeSnapshot();
    const damaged = blobs.map((blob, at) => (at === 1 ? blob.map((byte, offset) => (offset === 100 ? byte ^ 1 : byte)) : blob));
    await expect(restoredCluster(damaged)).rejects.toThrow(/snapshot/i);
  });
});
