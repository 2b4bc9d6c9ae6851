export * from "./generated/authpb/auth_pb.ts";
