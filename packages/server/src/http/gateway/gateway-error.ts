import { type ServerResponse, STATUS_CODES } from "node:http";
import type { StatusCode } from "@raftkv/raft-rpc";

/** HTTP status by gRPC status, as etcd 3.4's gateway has them. */
const httpStatuses: readonly number[] = [200, 408, 500, 400, 504, 404, 409, 403, 429, 412, 409, 400, 501, 500, 503, 500, 401];

export interface GatewayError {
  readonly code: StatusCode;
  readonly message: string;
}

/** Where an error comes from: the gateway itself, or the service, whose call has trailers then. */
export type ErrorSource = "gateway" | "service";

/** Ends a response whose head has not left: `error` is what clients of etcd 3.4 read, `message` and `code` what later ones do. */
export function sendError(response: ServerResponse, { code, message }: GatewayError, source: ErrorSource): void {
  response.statusCode = httpStatus(code);
  response.setHeader("Content-Type", "application/json");
  const body = JSON.stringify({ error: message, message, code });
  if (source === "gateway") {
    response.end(body);
    return;
  }
  response.setHeader("Trailer", "Grpc-Trailer-Content-Type");
  response.write(body);
  response.addTrailers({ "Grpc-Trailer-Content-Type": "application/grpc" });
  response.end();
}

/** The last line of a stream: the fields of etcd 3.4 and of later versions. */
export function streamErrorLine({ code, message }: GatewayError): string {
  const status = httpStatus(code);
  const error = { code, grpc_code: code, http_code: status, http_status: STATUS_CODES[status] ?? "", message, details: [] };
  return `${JSON.stringify({ error })}\n`;
}

export function httpStatus(code: StatusCode): number {
  return httpStatuses[code] ?? 500;
}
