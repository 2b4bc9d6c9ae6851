export * from "./generated/raftkv/v1/raftkv_pb.ts";
export { raftKvService } from "./service/raftkv-services.ts";
