export { create, fromBinary, toBinary } from "@bufbuild/protobuf";
export * as authpb from "./authpb.ts";
export { CodecError } from "./codec/codec-error.ts";
export {
  type Command,
  decodeCommand,
  encodeAdvanceTimeCommand,
  encodeLeaseExpireCommand,
  encodeMemberAttributesCommand,
  encodeRequestCommand,
  isMemberAttributesCommand,
  type LeaseExpiry,
  type MemberAttributes,
  type RequestCommandType,
  UnknownCommandError,
} from "./codec/command.ts";
export { type KeyPlace, locateKey } from "./codec/command-key.ts";
export type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseHeader,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from "./codec/etcd-message.ts";
export {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
} from "./codec/etcd-request.ts";
export {
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  encodeDeleteRangeResponse,
  encodePutResponse,
  encodeRangeResponse,
} from "./codec/etcd-response.ts";
export type { Hello, Lane } from "./codec/hello.ts";
export {
  decodeLeaseKeepAliveAnswer,
  decodeLeaseKeepAliveCall,
  decodeLeaseTimeToLiveAnswer,
  decodeLeaseTimeToLiveCall,
  encodeLeaseKeepAliveAnswer,
  encodeLeaseKeepAliveCall,
  encodeLeaseTimeToLiveAnswer,
  encodeLeaseTimeToLiveCall,
  LEASE_CALL_IDS_MAX,
} from "./codec/lease-call.ts";
export { decodeLeaseKeepAliveRequest, encodeLeaseKeepAliveResponse } from "./codec/lease-keep-alive.ts";
export {
  BATCH_MESSAGES_MAX,
  decodePeerFrame,
  decodeSnapshotFrame,
  encodePeerFrame,
  encodeSnapshotFrame,
  type PeerFrame,
  type SnapshotFrame,
} from "./codec/peer-frame.ts";
export { peerMessageBytesMax } from "./codec/peer-message-encoder.ts";
export {
  decodeKeyRequest,
  decodeKeyValueRequest,
  decodeRaftKvResponse,
  encodeKeyRequest,
  encodeKeyValueRequest,
  encodeRaftKvResponse,
  type KeyRequest,
  type KeyValueRequest,
  type LeaderAddress,
  type RaftKvResponse,
  type RaftKvStatus,
} from "./codec/raftkv-message.ts";
export { RangeResponseWriter } from "./codec/range-response-writer.ts";
export { decodeTxnRequest, encodeTxnRequest } from "./codec/txn-request.ts";
export { decodeTxnResponse, encodeTxnResponse } from "./codec/txn-response.ts";
export { decodeWatchRequest, type WatchCreateRequest } from "./codec/watch-request.ts";
export { encodeWatchEvent, encodeWatchEvents, encodeWatchHeader, encodeWatchNotification } from "./codec/watch-response.ts";
export * as etcdserverpb from "./etcdserverpb.ts";
export * as raftkvCommandV1 from "./generated/raftkv/command/v1/command_pb.ts";
export * as raftkvStateV1 from "./generated/raftkv/state/v1/state_pb.ts";
export * as grpcHealthV1 from "./grpc-health-v1.ts";
export { type JsonMethod, jsonMethod } from "./json/json-method.ts";
export { readJsonValue } from "./json/json-parser.ts";
export { JsonError, type JsonValue } from "./json/json-value.ts";
export * as mvccpb from "./mvccpb.ts";
export * as raftkvPeerV1 from "./raftkv-peer-v1.ts";
export * as raftkvV1 from "./raftkv-v1.ts";
export { clientMethodKinds } from "./service/client-services.ts";
export { clientFileDescriptors } from "./service/file-descriptors.ts";
export * as v3electionpb from "./v3electionpb.ts";
export * as v3lockpb from "./v3lockpb.ts";
