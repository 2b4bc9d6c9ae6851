import {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
} from "../codec/etcd-request.ts";
import {
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  encodeDeleteRangeResponse,
  encodePutResponse,
  encodeRangeResponse,
} from "../codec/etcd-response.ts";
import { decodeRangeStreamResponse, encodeRangeStreamResponse } from "../codec/range-stream.ts";
import { decodeTxnRequest, encodeTxnRequest } from "../codec/txn-request.ts";
import { decodeTxnResponse, encodeTxnResponse } from "../codec/txn-response.ts";
import { Auth } from "../generated/etcdserverpb/auth_pb.ts";
import { Cluster } from "../generated/etcdserverpb/cluster_pb.ts";
import { KV } from "../generated/etcdserverpb/kv_pb.ts";
import { Lease } from "../generated/etcdserverpb/lease_pb.ts";
import { Maintenance } from "../generated/etcdserverpb/maintenance_pb.ts";
import { Watch } from "../generated/etcdserverpb/watch_pb.ts";
import { serviceFromDescriptor } from "./service-from-descriptor.ts";

const generatedKv = serviceFromDescriptor(KV);

/** `etcdserverpb.KV`. All but Compact take and give the plain objects of the hand-written codecs; RangeStream gives parts of a RangeResponse. */
export const kvService = {
  typeName: generatedKv.typeName,
  methods: {
    ...generatedKv.methods,
    range: {
      ...generatedKv.methods.range,
      request: { encode: encodeRangeRequest, decode: decodeRangeRequest },
      response: { encode: encodeRangeResponse, decode: decodeRangeResponse },
    },
    rangeStream: {
      ...generatedKv.methods.rangeStream,
      request: { encode: encodeRangeRequest, decode: decodeRangeRequest },
      response: { encode: encodeRangeStreamResponse, decode: decodeRangeStreamResponse },
    },
    put: {
      ...generatedKv.methods.put,
      request: { encode: encodePutRequest, decode: decodePutRequest },
      response: { encode: encodePutResponse, decode: decodePutResponse },
    },
    deleteRange: {
      ...generatedKv.methods.deleteRange,
      request: { encode: encodeDeleteRangeRequest, decode: decodeDeleteRangeRequest },
      response: { encode: encodeDeleteRangeResponse, decode: decodeDeleteRangeResponse },
    },
    txn: {
      ...generatedKv.methods.txn,
      request: { encode: encodeTxnRequest, decode: decodeTxnRequest },
      response: { encode: encodeTxnResponse, decode: decodeTxnResponse },
    },
  },
};

/** `etcdserverpb.Watch`, with protobuf-es messages; so are the others below. */
export const watchService = serviceFromDescriptor(Watch);
export const leaseService = serviceFromDescriptor(Lease);
export const clusterService = serviceFromDescriptor(Cluster);
export const maintenanceService = serviceFromDescriptor(Maintenance);
export const authService = serviceFromDescriptor(Auth);
