import { encodePeerFrame, etcdserverpb } from "@raftkv/api";
import { Channel, connectTcp, createClient, type RpcError, SystemClock } from "@raftkv/raft-rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type ClusterMember, ProcessCluster } from "../support/process-cluster.ts";

type Batch = Extract<Parameters<typeof encodePeerFrame>[0], { readonly type: "batch" }>["messages"];

const exchange = "/raftkv.peer.v1.RaftPeer/Exchange";
/** The core's id of a member. */
const nodeId = (memberId: bigint): number => Number(memberId & 0x1f_ffff_ffff_ffffn);

let cluster: ProcessCluster;
let victim: ClusterMember;
let channel: Channel;
/** Ids of the cluster, of the victim, and of the member that was never started and is played here. */
let ids: { readonly cluster: bigint; readonly victim: bigint; readonly stranger: bigint };

beforeAll(async () => {
  cluster = await ProcessCluster.create({ size: 3 });
  const [first, second, third] = cluster.members;
  if (first === undefined || second === undefined || third === undefined) throw new Error("There are three members");
  first.start();
  second.start();
  await cluster.leader();
  victim = first;
  const clientChannel = channelTo(first.clientPort);
  const list = await createClient(etcdserverpb.clusterService, clientChannel).memberList({
    $typeName: "etcdserverpb.MemberListRequest",
    linearizable: true,
  });
  await clientChannel.close();
  const idOf = (port: number): bigint => list.members.find(({ peerURLs }) => peerURLs[0]?.endsWith(`:${port}`))?.ID ?? 0n;
  ids = { cluster: list.header?.clusterId ?? 0n, victim: idOf(first.peerPort), stranger: idOf(third.peerPort) };
  channel = channelTo(first.peerPort);
});
afterAll(async () => {
  await channel.close();
  await cluster.dispose();
});

function channelTo(port: number): Channel {
  return new Channel({
    connect: () => connectTcp({ host: "127.0.0.1", port }, 1_000),
    authority: `127.0.0.1:${port}`,
    clock: new SystemClock(),
  });
}

/** Says Hello as the third member, sends the frames, and returns how the stream ended. The last frame has to be one that ends it. */
function speak(frames: readonly Uint8Array[], options: { readonly hello?: boolean } = {}): Promise<RpcError | null> {
  return new Promise((resolve) => {
    const stream = channel.stream(exchange, {
      onMetadata: () => {},
      onMessage: () => {},
      onDrain: () => {},
      onClose: (error) => resolve(error),
    });
    if (options.hello !== false) {
      const hello = {
        clusterId: ids.cluster,
        fromMember: ids.stranger,
        toMember: ids.victim,
        protocolVersion: 1,
        name: "odd",
        storeId: 7n,
        lane: "urgent" as const,
      };
      stream.send(encodePeerFrame({ type: "hello", hello }));
    }
    for (const frame of frames) stream.send(frame);
  });
}

/** What no frame is. The member has taken those before it when it ends the stream for this one. */
const noFrame = new Uint8Array([0xff, 0xff, 0xff, 0xff]);
const batch = (messages: Batch): Uint8Array => encodePeerFrame({ type: "batch", messages });
const addressed = () => ({ from: nodeId(ids.stranger), to: nodeId(ids.victim) });

async function expectServing(): Promise<void> {
  expect(victim.running, victim.process.output.slice(-2000)).toBe(true);
  const value = `alive-${process.hrtime.bigint()}`;
  await eventually(() => victim.endpoint.put("alive", value));
  expect(await victim.endpoint.get("alive")).toBe(value);
}

describe("a member goes on when a peer", () => {
  test("sends what is no frame", async () => {
    const error = await speak([noFrame]);
    expect(error?.message).toMatch(/malformed peer frame/);
    await expectServing();
  });

  test("does not say who it is, or says it twice", async () => {
    expect((await speak([batch([])], { hello: false }))?.message).toMatch(/the first frame must be a Hello/);
    await expectServing();
  });

  test("speaks for somebody else", async () => {
    const heartbeat = { type: "heartbeat" as const, from: 5, to: nodeId(ids.victim), term: 1, commit: 0, readPosition: 0 };
    expect((await speak([batch([heartbeat])]))?.message).toMatch(/does not belong on this stream/);
    await expectServing();
  });

  test("claims a term beyond all terms, and entries that nobody sent", async () => {
    await speak([batch([{ type: "heartbeat", ...addressed(), term: Number.MAX_SAFE_INTEGER, commit: 0, readPosition: 0 }]), noFrame]);
    const { term } = await victim.endpoint.status();
    const answer = { term, index: 999_999_999, rejected: false, hintIndex: 0, hintTerm: 0 };
    await speak([batch([{ type: "appendEntriesResponse", ...addressed(), ...answer }]), noFrame]);
    await expectServing();
    expect((await victim.endpoint.status()).term).toBeLessThan(1_000_000);
  });
});

/** The last one: there is no way back for it. */
test("a member that learns of a commit that it must have acknowledged and does not have takes no part, and says why", async () => {
  // The members may have begun another term meanwhile.
  await eventually(async () => {
    const { term } = await victim.endpoint.status();
    await speak([batch([{ type: "heartbeat", ...addressed(), term: term + 1, commit: 999_999_999, readPosition: 0 }]), noFrame]);
    await expect(victim.endpoint.put("refused", "")).rejects.toThrow("this member can't trust its data and takes no part");
  });
  await expect(victim.endpoint.get("refused")).rejects.toThrow("this member can't trust its data and takes no part");
  const health = await fetch(`http://127.0.0.1:${victim.clientPort}/health`);
  expect([health.status, await health.json()]).toEqual([503, { health: "false", reason: "MEMBER QUARANTINED" }]);
  await victim.process.waitForOutput(/"level":"error".*"kind":"commit_beyond_log","commit":999999999/);
  expect(victim.running).toBe(true);
});
