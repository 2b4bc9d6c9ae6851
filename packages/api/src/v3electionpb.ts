export * from "./generated/v3electionpb/election_pb.ts";
