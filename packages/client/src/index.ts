export type {
  Compare,
  DeleteRangeResponse,
  KeyValue,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  TxnRequest,
  TxnResponse,
} from "@raftkv/api";
export type { Bytes } from "./bytes.ts";
export type { CallOptions } from "./call-options.ts";
export { ClientError, type ClientErrorCode, clientErrorTable, type Retryable } from "./client-error.ts";
export type { ClientEvent, ClientOptions, ClientPorts, ClientSettings } from "./client-options.ts";
export { type ClusterStatus, leaderOf, type MemberStatus, type ReachableMember, type UnreachableMember } from "./cluster-status.ts";
export { type ClusterView, selectMember, type ViewMember } from "./cluster-view.ts";
export { type Endpoint, parseEndpoint } from "./endpoint.ts";
export { readEndpointList } from "./endpoint-list.ts";
export type {
  Alarm,
  AlarmList,
  AlarmType,
  BackendHash,
  EndpointStatus,
  KeyHash,
  Member,
  MemberList,
  SnapshotChunk,
} from "./etcd/cluster-types.ts";
export type { EtcdClient } from "./etcd/etcd-client.ts";
export type { KeyRange } from "./etcd/key-range.ts";
export type {
  CompactOptions,
  DeleteOptions,
  LeaseReference,
  PageOptions,
  PutOptions,
  RangeOptions,
  ReadOptions,
  SortOrder,
  SortTarget,
  TxnOptions,
} from "./etcd/kv-options.ts";
export type { Lease } from "./etcd/lease/lease.ts";
export type { GrantOptions, LeaseGrant, LeaseList, LeaseRenewal, LeaseTimeToLive } from "./etcd/lease/lease-answers.ts";
export type { LeaseClient } from "./etcd/lease/lease-client.ts";
export type { MemberClient } from "./etcd/member-client.ts";
export type { Election } from "./etcd/ownership/election.ts";
export type { HeldLock } from "./etcd/ownership/held-lock.ts";
export type { Leadership } from "./etcd/ownership/leadership.ts";
export type { Ownership, OwnershipOptions } from "./etcd/ownership/ownership.ts";
export { compare, type Relation } from "./etcd/txn/compare.ts";
export { operation } from "./etcd/txn/operation.ts";
export type { Txn, TxnResult } from "./etcd/txn/txn.ts";
export type { Operation, Operations, ResultsOf } from "./etcd/txn/typed-operation.ts";
export { WatchCompactedError } from "./etcd/watch/watch-compacted-error.ts";
export type { Watch, WatchBatch, WatchEvent, WatchOptions } from "./etcd/watch/watch-types.ts";
export { connect, connectClient, endpointsVariable, type NodeClientSettings } from "./node-client.ts";
export { RaftKVClient } from "./raftkv-client.ts";
export type { GetResult, LeaderHint, PutResult, RedirectResult, RemoveResult, UpdateResult } from "./result.ts";
