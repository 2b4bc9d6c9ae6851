export * from "./generated/v3lockpb/lock_pb.ts";
