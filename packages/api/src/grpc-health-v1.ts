import { Health } from "./generated/grpc/health/v1/health_pb.ts";
import { serviceFromDescriptor } from "./service/service-from-descriptor.ts";

export * from "./generated/grpc/health/v1/health_pb.ts";

/** `grpc.health.v1.Health`, with protobuf-es messages. */
export const healthService = serviceFromDescriptor(Health);
