import { create, etcdserverpb, v3electionpb, v3lockpb } from "@raftkv/api";
import type { Ports } from "@raftkv/raft-node";
import { Channel, type Client, createClient } from "@raftkv/raft-rpc";
import { clientPort, type SimulatedCluster } from "../cluster/simulated-cluster.ts";
import type { MemberClient } from "./lease-client.ts";

/** What is called at one member. */
export interface LockClient extends MemberClient {
  readonly lock: Client<typeof v3lockpb.lockService>;
  readonly election: Client<typeof v3electionpb.electionService>;
}

const bytes = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

/** One for each member, in their order. */
export function lockClientsOf(cluster: SimulatedCluster, { network, clock, random }: Ports): readonly LockClient[] {
  return cluster.nodes.map(({ name }) => {
    const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, 500);
    const channel = new Channel({ connect, authority: `${name}:${clientPort}`, clock, random });
    return {
      kv: createClient(etcdserverpb.kvService, channel),
      lease: createClient(etcdserverpb.leaseService, channel),
      lock: createClient(v3lockpb.lockService, channel),
      election: createClient(v3electionpb.electionService, channel),
    };
  });
}

/** Returns the key. */
export async function lock(
  { lock: client }: LockClient,
  name: string,
  lease: bigint,
  more: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<string> {
  const request = create(v3lockpb.LockRequestSchema, { name: bytes(name), lease });
  return text((await client.lock(request, { timeoutMs: 30_000, ...more })).key);
}

export async function unlock({ lock: client }: LockClient, key: string): Promise<void> {
  await client.unlock(create(v3lockpb.UnlockRequestSchema, { key: bytes(key) }), { timeoutMs: 5_000 });
}
