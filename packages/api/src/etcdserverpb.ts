export * from "./generated/etcdserverpb/auth_pb.ts";
export * from "./generated/etcdserverpb/cluster_pb.ts";
export * from "./generated/etcdserverpb/header_pb.ts";
export * from "./generated/etcdserverpb/kv_pb.ts";
export * from "./generated/etcdserverpb/lease_pb.ts";
export * from "./generated/etcdserverpb/maintenance_pb.ts";
export * from "./generated/etcdserverpb/watch_pb.ts";
export { authService, clusterService, kvService, leaseService, maintenanceService, watchService } from "./service/etcd-services.ts";
