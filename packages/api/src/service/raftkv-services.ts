import {
  decodeLeaseKeepAliveAnswer,
  decodeLeaseKeepAliveCall,
  decodeLeaseTimeToLiveAnswer,
  decodeLeaseTimeToLiveCall,
  encodeLeaseKeepAliveAnswer,
  encodeLeaseKeepAliveCall,
  encodeLeaseTimeToLiveAnswer,
  encodeLeaseTimeToLiveCall,
} from "../codec/lease-call.ts";
import { decodePeerFrame, decodeSnapshotFrame, encodePeerFrame, encodeSnapshotFrame } from "../codec/peer-frame.ts";
import {
  decodeKeyRequest,
  decodeKeyValueRequest,
  decodeRaftKvResponse,
  encodeKeyRequest,
  encodeKeyValueRequest,
  encodeRaftKvResponse,
} from "../codec/raftkv-message.ts";
import { RaftPeer } from "../generated/raftkv/peer/v1/peer_pb.ts";
import { RaftKV } from "../generated/raftkv/v1/raftkv_pb.ts";
import { serviceFromDescriptor } from "./service-from-descriptor.ts";

const generatedRaftKv = serviceFromDescriptor(RaftKV);
const generatedRaftPeer = serviceFromDescriptor(RaftPeer);

const keyRequest = { encode: encodeKeyRequest, decode: decodeKeyRequest };
const keyValueRequest = { encode: encodeKeyValueRequest, decode: decodeKeyValueRequest };
const response = { encode: encodeRaftKvResponse, decode: decodeRaftKvResponse };
const peerFrame = { encode: encodePeerFrame, decode: decodePeerFrame };
const snapshotFrame = { encode: encodeSnapshotFrame, decode: decodeSnapshotFrame };

/** `raftkv.v1.RaftKV`, all with the plain objects of the hand-written codecs. */
export const raftKvService = {
  typeName: generatedRaftKv.typeName,
  methods: {
    put: { ...generatedRaftKv.methods.put, request: keyValueRequest, response },
    update: { ...generatedRaftKv.methods.update, request: keyValueRequest, response },
    get: { ...generatedRaftKv.methods.get, request: keyRequest, response },
    remove: { ...generatedRaftKv.methods.remove, request: keyRequest, response },
  },
};

/** `raftkv.peer.v1.RaftPeer`; frames and lease calls are the plain objects of the hand-written codecs. */
export const raftPeerService = {
  typeName: generatedRaftPeer.typeName,
  methods: {
    exchange: { ...generatedRaftPeer.methods.exchange, request: peerFrame, response: peerFrame },
    installSnapshot: { ...generatedRaftPeer.methods.installSnapshot, request: snapshotFrame },
    leaseKeepAlive: {
      ...generatedRaftPeer.methods.leaseKeepAlive,
      request: { encode: encodeLeaseKeepAliveCall, decode: decodeLeaseKeepAliveCall },
      response: { encode: encodeLeaseKeepAliveAnswer, decode: decodeLeaseKeepAliveAnswer },
    },
    probe: generatedRaftPeer.methods.probe,
    leaseTimeToLive: {
      ...generatedRaftPeer.methods.leaseTimeToLive,
      request: { encode: encodeLeaseTimeToLiveCall, decode: decodeLeaseTimeToLiveCall },
      response: { encode: encodeLeaseTimeToLiveAnswer, decode: decodeLeaseTimeToLiveAnswer },
    },
  },
};
