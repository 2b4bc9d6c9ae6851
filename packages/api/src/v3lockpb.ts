import { Lock } from "./generated/v3lockpb/lock_pb.ts";
import { serviceFromDescriptor } from "./service/service-from-descriptor.ts";

export * from "./generated/v3lockpb/lock_pb.ts";

/** `v3lockpb.Lock`, with protobuf-es messages. */
export const lockService = serviceFromDescriptor(Lock);
