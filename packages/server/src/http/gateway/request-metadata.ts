import type { IncomingHttpHeaders } from "node:http";
import { Metadata, parseTimeout, RpcError, StatusCode } from "@raftkv/raft-rpc";

const metadataPrefix = "grpc-metadata-";

/**
 * The metadata of a call that comes by HTTP: `Authorization`, whatever begins with `Grpc-Metadata-`, and the mark of calls that a gateway
 * makes. Throws RpcError for binary metadata that is not base64.
 */
export function requestMetadata(headers: IncomingHttpHeaders): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.startsWith(metadataPrefix) ? name.slice(metadataPrefix.length) : forwarded.get(name);
    if (key === undefined || key === "") continue;
    for (const text of [value].flat()) {
      if (text !== undefined && !metadata.appendHeader(key, text)) {
        throw new RpcError(StatusCode.INVALID_ARGUMENT, `invalid binary header ${name}: illegal base64 data`);
      }
    }
  }
  return metadata;
}

const forwarded: ReadonlyMap<string, string> = new Map([
  ["authorization", "authorization"],
  ["accept", "grpcgateway-accept"],
]);

/** `Grpc-Timeout` in milliseconds, Infinity if there is none. Throws RpcError. */
export function requestTimeoutMs(headers: IncomingHttpHeaders): number {
  const text = [headers["grpc-timeout"]].flat()[0];
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const timeoutMs = parseTimeout(text);
  if (timeoutMs === null) throw new RpcError(StatusCode.INVALID_ARGUMENT, `invalid grpc-timeout: ${text}`);
  return timeoutMs;
}
