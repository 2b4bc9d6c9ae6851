import { create, etcdserverpb } from "@raftkv/api";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import { expect, test } from "vitest";
import { ScriptedCluster, type ScriptedMember } from "../testing/scripted-cluster.ts";
import { Outbox } from "../testing/scripted-streams.ts";
import type { MemberClient } from "./member-client.ts";

const address = "127.0.0.1:1001";

interface Scene {
  readonly cluster: ScriptedCluster;
  readonly scripted: ScriptedMember;
  readonly outbox: Outbox<etcdserverpb.SnapshotResponse>;
  readonly member: MemberClient;
}

function scene(): Scene {
  const cluster = new ScriptedCluster();
  const scripted = cluster.member(address);
  const outbox = new Outbox<etcdserverpb.SnapshotResponse>();
  scripted.dispatcher.add(etcdserverpb.maintenanceService, {
    snapshot: () => outbox,
    moveLeader: ({ targetID }) => {
      if (targetID === 1n) throw new RpcError(StatusCode.UNKNOWN, "etcdserver: request timed out, leader transfer took too long");
      throw new RpcError(StatusCode.FAILED_PRECONDITION, "etcdserver: not leader");
    },
  });
  return { cluster, scripted, outbox, member: cluster.client({ endpoints: [address] }).etcd.member(address) };
}

function chunk(blob: readonly number[], remainingBytes: bigint): etcdserverpb.SnapshotResponse {
  return create(etcdserverpb.SnapshotResponseSchema, { blob: Uint8Array.from(blob), remainingBytes });
}

async function collect({ member }: Scene, options?: Parameters<MemberClient["snapshot"]>[0]): Promise<readonly number[]> {
  const all: number[] = [];
  for await (const { blob } of member.snapshot(options)) all.push(...blob);
  return all;
}

test("a snapshot comes piece by piece, whole and in order", async () => {
  const it = scene();
  for (let place = 0; place < 50; place++) it.outbox.send(chunk([place, place], BigInt(50 - place)));
  it.outbox.end();
  expect(await it.cluster.clock.settle(collect(it))).toEqual(Array.from({ length: 100 }, (_, place) => Math.floor(place / 2)));
});

test("a snapshot that breaks off, stalls or is given up is told as such", async () => {
  const broken = scene();
  broken.outbox.send(chunk([1], 9n));
  broken.cluster.clock.setTimer(100, () => broken.scripted.cutConnections());
  await expect(broken.cluster.clock.settle(collect(broken))).rejects.toMatchObject({ code: "ERR_UNREACHABLE" });
  const stalled = scene();
  stalled.outbox.send(chunk([1], 9n));
  await expect(stalled.cluster.clock.settle(collect(stalled, { timeoutMs: 2000 }))).rejects.toThrow("Nothing came for 2000 ms");
  const givenUp = scene();
  const controller = new AbortController();
  givenUp.cluster.clock.setTimer(100, () => controller.abort());
  await expect(givenUp.cluster.clock.settle(collect(givenUp, { signal: controller.signal }))).rejects.toMatchObject({
    code: "ERR_ABORTED",
  });
  const refused = scene();
  refused.outbox.end(new RpcError(StatusCode.PERMISSION_DENIED, "etcdserver: permission denied"));
  await expect(refused.cluster.clock.settle(collect(refused))).rejects.toMatchObject({ code: "ERR_REJECTED" });
});

test("what a member refuses, by whichever code, is told in its own words", async () => {
  const { cluster, member } = scene();
  await expect(cluster.clock.settle(member.moveLeader(7n))).rejects.toMatchObject({
    code: "ERR_REJECTED",
    status: { message: "etcdserver: not leader" },
  });
  await expect(cluster.clock.settle(member.moveLeader(1n))).rejects.toMatchObject({
    code: "ERR_REJECTED",
    status: { message: "etcdserver: request timed out, leader transfer took too long" },
  });
});
