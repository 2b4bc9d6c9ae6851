import { decodeBase64 } from "../grpc/base64.ts";
import { isReservedHeader, Metadata } from "../grpc/metadata.ts";
import { decodePercent } from "../grpc/percent.ts";
import type { HeaderList } from "../hpack/header-list.ts";
import { isFieldValid, parseContentLength } from "../http2/field-rules.ts";

/** What a response's header block means: headers, trailers, or both in one. */
export interface ResponseHead {
  /** -1 if there is no `:status`: trailers. */
  readonly httpStatus: number;
  readonly isGrpc: boolean;
  readonly encoding: string;
  /** -1 if there is none. */
  readonly contentLength: number;
  /** -1 if there is no `grpc-status`; NaN if it is no number. */
  readonly grpcStatus: number;
  readonly grpcMessage: string;
  /** A `google.rpc.Status`; null if there is none, or no base64. */
  readonly statusDetails: Uint8Array | null;
  readonly metadata: Metadata;
  /** RFC 9113 8.1.1; null if it is well-formed. */
  readonly malformed: string | null;
}

const statusPattern = /^[1-9][0-9]{2}$/;
/** Has no meaning in HTTP/2 (RFC 9113 8.6). */
const switchingProtocols = "101";
const codePattern = /^[0-9]{1,3}$/;

/** Reads a decoded block of a response. */
export function readResponseHead(list: HeaderList): ResponseHead {
  let httpStatus = -1;
  let contentType = "";
  let encoding = "identity";
  let contentLength = -1;
  let grpcStatus = -1;
  let grpcMessage = "";
  let statusDetails: Uint8Array | null = null;
  let regular = false;
  let malformed: string | null = list.tooLarge ? `Header list of ${list.listBytes} bytes is too large` : null;
  const metadata = new Metadata();
  for (let place = 0; place < list.count && malformed === null; place++) {
    const name = list.name(place);
    const value = list.value(place);
    if (!isFieldValid(name, value)) {
      malformed = `Field ${JSON.stringify(name.slice(0, 40))} is not allowed`;
    } else if (name.startsWith(":")) {
      if (name !== ":status" || httpStatus >= 0 || regular || !statusPattern.test(value) || value === switchingProtocols)
        malformed = `${name} is unknown, repeated, late or not allowed`;
      else httpStatus = Number(value);
      continue;
    }
    regular = true;
    if (name === "grpc-status") grpcStatus = codePattern.test(value) ? Number(value) : Number.NaN;
    else if (name === "grpc-message") grpcMessage = decodePercent(value);
    else if (name === "grpc-status-details-bin") statusDetails = decodeBase64(value);
    else if (name === "content-type") contentType = value;
    else if (name === "grpc-encoding") encoding = value;
    else if (name === "content-length") contentLength = parseContentLength(value, contentLength);
    // Values that are not base64 are left out: the status still counts.
    else if (!isReservedHeader(name)) metadata.appendHeader(name, value);
  }
  if (Number.isNaN(contentLength)) malformed = "content-length is not one number";
  const isGrpc = contentType.toLowerCase().startsWith("application/grpc");
  return { httpStatus, isGrpc, encoding, contentLength, grpcStatus, grpcMessage, statusDetails, metadata, malformed };
}
