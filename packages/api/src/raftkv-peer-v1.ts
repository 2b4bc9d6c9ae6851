export * from "./generated/raftkv/peer/v1/peer_pb.ts";
export { raftPeerService } from "./service/raftkv-services.ts";
