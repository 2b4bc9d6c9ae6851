import { Election } from "./generated/v3electionpb/election_pb.ts";
import { serviceFromDescriptor } from "./service/service-from-descriptor.ts";

export * from "./generated/v3electionpb/election_pb.ts";

/** `v3electionpb.Election`, with protobuf-es messages. */
export const electionService = serviceFromDescriptor(Election);
