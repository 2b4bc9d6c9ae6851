export * from "./generated/mvccpb/kv_pb.ts";
