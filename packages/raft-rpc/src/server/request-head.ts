import { listsEncoding } from "../grpc/compressor.ts";
import { isReservedHeader, Metadata } from "../grpc/metadata.ts";
import { StatusCode } from "../grpc/status.ts";
import { parseTimeout } from "../grpc/timeout.ts";
import type { HeaderList } from "../hpack/header-list.ts";
import { isFieldValid, parseContentLength } from "../http2/field-rules.ts";
import { pathBytesMax, type RpcLimits } from "../limits.ts";
import type { HttpRejection } from "./http-answer.ts";

/** Why a request gets no handler. */
export type Rejection =
  /** RFC 9113 8.1.1: a stream error. */
  | { readonly kind: "malformed"; readonly reason: string }
  /** Not gRPC: an HTTP status. */
  | ({ readonly kind: "http" } & HttpRejection)
  /** A gRPC status. `extra` goes into the answer. */
  | { readonly kind: "status"; readonly code: StatusCode; readonly message: string; readonly extra?: readonly [string, string] };

/** What a request's header block means: checked once, then shared by all requests with the same block. */
export interface RequestHead {
  readonly path: string;
  readonly authority: string;
  readonly metadata: Metadata;
  /** Infinity if there is none. */
  readonly timeoutMs: number;
  /** -1 if there is none. */
  readonly contentLength: number;
  /** Messages may have the compressed flag. */
  readonly isCompressed: boolean;
  /** The client takes answers in the server's encoding. */
  readonly acceptsCompressed: boolean;
  readonly rejection: Rejection | null;
}

/** The encoding of messages that are not compressed. */
const identity = "identity";
const contentTypePattern = /^application\/grpc([+;].*)?$/i;

function rejected(path: string, rejection: Rejection): RequestHead {
  return {
    path,
    authority: "",
    metadata: new Metadata(),
    timeoutMs: Number.POSITIVE_INFINITY,
    contentLength: -1,
    isCompressed: false,
    acceptsCompressed: false,
    rejection,
  };
}

function malformed(path: string, reason: string): RequestHead {
  return rejected(path, { kind: "malformed", reason });
}

/**
 * Reads a decoded request block: RFC 9113 8.3.1 first, then gRPC's rules (PROTOCOL-HTTP2). `serverEncoding`: in which messages may be
 * compressed; null for none.
 */
export function readRequestHead(list: HeaderList, limits: RpcLimits, serverEncoding: string | null): RequestHead {
  let method = "";
  let scheme = "";
  let path = "";
  let authority: string | null = null;
  let host = "";
  let contentType = "";
  let encoding = identity;
  let acceptsCompressed = false;
  let timeout: string | null = null;
  let contentLength = -1;
  let regular = false;
  let binaryBroken = false;
  const metadata = new Metadata();
  for (let place = 0; place < list.count; place++) {
    const name = list.name(place);
    const value = list.value(place);
    if (!isFieldValid(name, value)) return malformed(path, `Field ${JSON.stringify(name.slice(0, 40))} is not allowed`);
    if (name.charCodeAt(0) === 0x3a) {
      if (regular) return malformed(path, `${name} stands behind other fields`);
      if (name === ":method" && method === "" && value !== "") method = value;
      else if (name === ":scheme" && scheme === "" && value !== "") scheme = value;
      else if (name === ":path" && path === "" && value !== "") path = value;
      else if (name === ":authority" && authority === null) authority = value;
      else return malformed(path, `${name} is unknown, empty or repeated`);
      continue;
    }
    regular = true;
    switch (name) {
      case "content-type":
        contentType = value;
        break;
      case "grpc-encoding":
        encoding = value;
        break;
      case "grpc-accept-encoding":
        acceptsCompressed = serverEncoding !== null && listsEncoding(value, serverEncoding);
        break;
      case "grpc-timeout":
        timeout = value;
        break;
      case "host":
        host = value;
        break;
      case "content-length":
        contentLength = parseContentLength(value, contentLength);
        if (Number.isNaN(contentLength)) return malformed(path, "content-length is not one number");
        break;
      default:
        if (!isReservedHeader(name) && !metadata.appendHeader(name, value)) binaryBroken = true;
    }
  }
  if (list.tooLarge) {
    const { headerListBytesMax, headerFieldsMax } = limits;
    const message = `Header list of ${list.listBytes} bytes is above the limits, ${headerListBytesMax} bytes and ${headerFieldsMax} fields`;
    return rejected(path, { kind: "status", code: StatusCode.RESOURCE_EXHAUSTED, message });
  }
  if (method === "CONNECT") {
    if (scheme !== "" || path !== "" || authority === null) return malformed(path, "CONNECT has :scheme or :path, or no :authority");
  } else if (method === "" || scheme === "" || path === "") {
    return malformed(path, ":method, :scheme or :path is missing");
  }
  if (authority !== null && host !== "" && host !== authority) return malformed(path, "host differs from :authority");
  if (method !== "POST") return { ...rejected(path, { kind: "http", httpStatus: 405, hasBody: method !== "HEAD" }), contentLength };
  if (!contentTypePattern.test(contentType)) {
    return { ...rejected(path, { kind: "http", httpStatus: 415, hasBody: true }), contentLength };
  }
  const timeoutMs = timeout === null ? Number.POSITIVE_INFINITY : parseTimeout(timeout);
  const isCompressed = encoding !== identity;
  const rejection =
    rejectCall(path, timeoutMs, timeout, binaryBroken) ??
    (isCompressed && encoding !== serverEncoding ? rejectEncoding(encoding, serverEncoding) : null);
  return {
    path,
    authority: authority ?? host,
    metadata,
    timeoutMs: timeoutMs ?? 0,
    contentLength,
    isCompressed,
    acceptsCompressed,
    rejection,
  };
}

/** What is wrong with the trailers of a request; null if nothing is. They hold no pseudo headers (RFC 9113 8.1). */
export function trailerFault(list: HeaderList): string | null {
  for (let place = 0; place < list.count; place++) {
    const name = list.name(place);
    if (name.startsWith(":") || !isFieldValid(name, list.value(place)))
      return `Trailer ${JSON.stringify(name.slice(0, 40))} is not allowed`;
  }
  return null;
}

function rejectCall(path: string, timeoutMs: number | null, timeout: string | null, binaryBroken: boolean): Rejection | null {
  if (path.length > pathBytesMax) {
    return { kind: "status", code: StatusCode.RESOURCE_EXHAUSTED, message: `Path of ${path.length} bytes is above ${pathBytesMax}` };
  }
  if (timeoutMs === null)
    return { kind: "status", code: StatusCode.INTERNAL, message: `malformed grpc-timeout ${JSON.stringify(timeout)}` };
  if (binaryBroken) return { kind: "status", code: StatusCode.INTERNAL, message: "Binary metadata is not base64" };
  return null;
}

function rejectEncoding(encoding: string, serverEncoding: string | null): Rejection {
  return {
    kind: "status",
    code: StatusCode.UNIMPLEMENTED,
    // The sentence of grpc-go, which etcd's clients know.
    message: `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`,
    extra: ["grpc-accept-encoding", serverEncoding === null ? identity : `${identity},${serverEncoding}`],
  };
}
