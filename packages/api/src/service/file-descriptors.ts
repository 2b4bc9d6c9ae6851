import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
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

const clientServices = [KV, Watch, Lease, Cluster, Maintenance, Auth, Lock, Election, RaftKV, Health];

/** `google.protobuf.FileDescriptorProto` of every file that describes what clients can call, for server reflection. */
export function clientFileDescriptors(): readonly Uint8Array[] {
  const files = new Set<DescFile>(clientServices.map(({ file }) => file));
  // A set hands out also what is added while it is read.
  for (const { dependencies } of files) for (const dependency of dependencies) files.add(dependency);
  return Array.from(files, ({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}
