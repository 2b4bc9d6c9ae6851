import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Auth } from "../generated/etcdserverpb/auth_pb.ts";
import { Cluster } from "../generated/etcdserverpb/cluster_pb.ts";
import { KV } from "../generated/etcdserverpb/kv_pb.ts";
import { Lease } from "../generated/etcdserverpb/lease_pb.ts";
import { Maintenance } from "../generated/etcdserverpb/maintenance_pb.ts";
import { Watch } from "../generated/etcdserverpb/watch_pb.ts";
import { Health } from "../generated/grpc/health/v1/health_pb.ts";
import { RaftKV } from "../generated/raftkv/v1/raftkv_pb.ts";
import { Election } from "../generated/v3electionpb/election_pb.ts";
import { Lock } from "../generated/v3lockpb/lock_pb.ts";

/** What clients can call. */
export const clientServices: readonly DescService[] = [KV, Watch, Lease, Cluster, Maintenance, Auth, Lock, Election, RaftKV, Health];

/** The kinds of all methods that clients can call, by path (`/etcdserverpb.KV/Range`). */
export function clientMethodKinds(): ReadonlyMap<string, DescMethod["methodKind"]> {
  return new Map(
    clientServices.flatMap(({ typeName, methods }) => methods.map(({ name, methodKind }) => [`/${typeName}/${name}`, methodKind] as const)),
  );
}
