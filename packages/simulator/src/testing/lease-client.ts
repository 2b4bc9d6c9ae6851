import { create, etcdserverpb } from "@raftkv/api";
import type { Ports } from "@raftkv/raft-node";
import { Channel, type Client, createClient } from "@raftkv/raft-rpc";
import { clientPort, type SimulatedCluster } from "../cluster/simulated-cluster.ts";

/** What is called at one member. */
export interface MemberClient {
  readonly kv: Client<typeof etcdserverpb.kvService>;
  readonly lease: Client<typeof etcdserverpb.leaseService>;
}

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);

/** One for each member, in their order. */
export function clientsOf(cluster: SimulatedCluster, { network, clock, random }: Ports): readonly MemberClient[] {
  return cluster.nodes.map(({ name }) => {
    const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, 500);
    const channel = new Channel({ connect, authority: `${name}:${clientPort}`, clock, random });
    return { kv: createClient(etcdserverpb.kvService, channel), lease: createClient(etcdserverpb.leaseService, channel) };
  });
}

/** Returns the id. */
export async function grant({ lease }: MemberClient, ttl: number, timeoutMs = 5_000): Promise<bigint> {
  const request = create(etcdserverpb.LeaseGrantRequestSchema, { TTL: BigInt(ttl) });
  return (await lease.leaseGrant(request, { timeoutMs })).ID;
}

export async function revoke({ lease }: MemberClient, id: bigint): Promise<void> {
  await lease.leaseRevoke(create(etcdserverpb.LeaseRevokeRequestSchema, { ID: id }), { timeoutMs: 5_000 });
}

/** Seconds that the lease has, 0 if there is none. */
export async function keepAlive({ lease }: MemberClient, id: bigint, timeoutMs = 5_000): Promise<number> {
  for await (const { TTL } of lease.leaseKeepAlive(once(create(etcdserverpb.LeaseKeepAliveRequestSchema, { ID: id })), { timeoutMs })) {
    return Number(TTL);
  }
  throw new Error("The stream ended without an answer");
}

async function* once<Message>(message: Message): AsyncGenerator<Message> {
  yield message;
}

export async function timeToLive({ lease }: MemberClient, id: bigint): Promise<{ readonly ttl: number; readonly keys: readonly string[] }> {
  const request = create(etcdserverpb.LeaseTimeToLiveRequestSchema, { ID: id, keys: true });
  const { TTL, keys } = await lease.leaseTimeToLive(request, { timeoutMs: 5_000 });
  return { ttl: Number(TTL), keys: keys.map((key) => new TextDecoder().decode(key)) };
}

export async function put({ kv }: MemberClient, key: string, lease: bigint, timeoutMs = 5_000): Promise<void> {
  const request = { key: text(key), value: text(key), lease, prevKv: false, ignoreValue: false, ignoreLease: false };
  await kv.put(request, { timeoutMs });
}

export async function hasKey({ kv }: MemberClient, key: string, timeoutMs = 1_000): Promise<boolean> {
  const bounds = { limit: 0, revision: 0, minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 };
  const order = { sortOrder: 0, sortTarget: 0, serializable: false, keysOnly: true, countOnly: false };
  const { kvs } = await kv.range({ key: text(key), rangeEnd: new Uint8Array(0), ...bounds, ...order }, { timeoutMs });
  return kvs.length > 0;
}
