import { ProtobufWriter, readProtobuf, textOf } from "../grpc/protobuf-fields.ts";

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. */
export const ServingStatus = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
export type ServingStatus = (typeof ServingStatus)[keyof typeof ServingStatus];

/** The service of a HealthCheckRequest; empty for the server as a whole. Throws RangeError for what is no message. */
export function readHealthRequest(message: Uint8Array): string {
  let service = "";
  for (const field of readProtobuf(message)) if (field.field === 1) service = textOf(field);
  return service;
}

/** A HealthCheckResponse. */
export function writeHealthResponse(status: ServingStatus): Uint8Array {
  return new ProtobufWriter().number(1, status).finish();
}

/** A HealthListResponse: a map of names to HealthCheckResponses. */
export function writeHealthList(statuses: Iterable<readonly [string, ServingStatus]>): Uint8Array {
  const list = new ProtobufWriter();
  for (const [service, status] of statuses) {
    list.bytes(1, new ProtobufWriter().text(1, service).bytes(2, writeHealthResponse(status)).finish());
  }
  return list.finish();
}
