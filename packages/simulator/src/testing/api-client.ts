import { type DeleteRangeRequest, etcdserverpb, type PutRequest, type RangeRequest, raftkvV1 } from "@raftkv/api";
import type { Ports } from "@raftkv/raft-node";
import { Channel, type Client, createClient } from "@raftkv/raft-rpc";
import { clientPort, SimulatedCluster } from "../cluster/simulated-cluster.ts";

/** What is called at one member. */
export interface ApiClient {
  readonly kv: Client<typeof etcdserverpb.kvService>;
  readonly maintenance: Client<typeof etcdserverpb.maintenanceService>;
  readonly members: Client<typeof etcdserverpb.clusterService>;
  readonly auth: Client<typeof etcdserverpb.authService>;
  readonly raftkv: Client<typeof raftkvV1.raftKvService>;
}

export interface RunningCluster {
  readonly cluster: SimulatedCluster;
  readonly atLeader: ApiClient;
  readonly atFollower: ApiClient;
  /** One for each member, in their order. */
  readonly clients: readonly ApiClient[];
}

export const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const noBytes = new Uint8Array(0);

/** Three members, one of which leads. */
export async function runCluster(seed: number, flags: readonly string[] = []): Promise<RunningCluster> {
  const cluster = new SimulatedCluster({ seed, flags });
  const { simulation } = cluster;
  await simulation.drive(() => cluster.startAll());
  const clients = apiClients(cluster, simulation.addNode("client").start());
  const leads = (at: number): boolean => {
    const node = cluster.nodes[at];
    return node !== undefined && cluster.memberOn(node)?.context.node.isLeader === true;
  };
  await simulation.runUntil(() => clients.some((_client, at) => leads(at)), { withinMs: 10_000 });
  await simulation.runFor(1_000);
  const atLeader = clients.find((_client, at) => leads(at));
  const atFollower = clients.find((_client, at) => !leads(at));
  if (atLeader === undefined || atFollower === undefined) throw new Error("A leader was elected");
  return { cluster, atLeader, atFollower, clients };
}

/** One for each member, in their order. */
export function apiClients(cluster: SimulatedCluster, { network, clock, random }: Ports): readonly ApiClient[] {
  return cluster.nodes.map(({ name }) => {
    const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, 500);
    const channel = new Channel({ connect, authority: `${name}:${clientPort}`, clock, random });
    return {
      kv: createClient(etcdserverpb.kvService, channel),
      maintenance: createClient(etcdserverpb.maintenanceService, channel),
      members: createClient(etcdserverpb.clusterService, channel),
      auth: createClient(etcdserverpb.authService, channel),
      raftkv: createClient(raftkvV1.raftKvService, channel),
    };
  });
}

export function putOf(key: string, value: string, more: Partial<PutRequest> = {}): PutRequest {
  return { key: text(key), value: text(value), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false, ...more };
}

export function rangeOf(key: string, more: Partial<RangeRequest> = {}): RangeRequest {
  const bounds = { limit: 0, revision: 0, minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 };
  const order = { sortOrder: 0, sortTarget: 0, serializable: false, keysOnly: false, countOnly: false };
  return { key: text(key), rangeEnd: noBytes, ...bounds, ...order, ...more };
}

export function deletionOf(key: string, more: Partial<DeleteRangeRequest> = {}): DeleteRangeRequest {
  return { key: text(key), rangeEnd: noBytes, prevKv: false, ...more };
}
