import { ProtobufWriter, readProtobuf, textOf } from "./protobuf-fields.ts";
import type { StatusCode } from "./status.ts";

/** More about an error, in a message of its own: a `google.protobuf.Any`, whose bytes raft-rpc does not look into. */
export interface ErrorDetail {
  /** `type.googleapis.com/google.rpc.RetryInfo`. */
  readonly typeUrl: string;
  /** The message in protobuf. */
  readonly value: Uint8Array;
}

/** Trailers must fit into what any client accepts: larger details are left out, and the status goes alone. */
const detailsBytesMax = 6 * 1024;

/** Fields of `google.rpc.Status` and `google.protobuf.Any`. */
const statusField = { code: 1, message: 2, details: 3 } as const;
const anyField = { typeUrl: 1, value: 2 } as const;

/**
 * What stands in `grpc-status-details-bin`: a `google.rpc.Status` with the same code and message as the status itself. Null if there are no
 * details, or too many bytes of them.
 */
export function encodeStatusDetails(code: StatusCode, message: string, details: readonly ErrorDetail[]): Uint8Array | null {
  if (details.length === 0) return null;
  const status = new ProtobufWriter().number(statusField.code, code).text(statusField.message, message);
  for (const { typeUrl, value } of details) {
    status.bytes(statusField.details, new ProtobufWriter().text(anyField.typeUrl, typeUrl).bytes(anyField.value, value).finish());
  }
  const bytes = status.finish();
  return bytes.length > detailsBytesMax ? null : bytes;
}

/**
 * The details of a received status. None if the bytes are no `google.rpc.Status`, or one of another code: `grpc-status` counts, and details
 * of something else would mislead.
 */
export function decodeStatusDetails(bytes: Uint8Array, code: StatusCode): readonly ErrorDetail[] {
  const details: ErrorDetail[] = [];
  let statusCode = 0;
  try {
    for (const field of readProtobuf(bytes)) {
      if (field.field === statusField.code) statusCode = field.number;
      else if (field.field === statusField.details && field.bytes !== null) details.push(readAny(field.bytes));
    }
  } catch {
    return [];
  }
  return statusCode === code ? details : [];
}

function readAny(bytes: Uint8Array): ErrorDetail {
  let typeUrl = "";
  let value: Uint8Array = new Uint8Array(0);
  for (const field of readProtobuf(bytes)) {
    if (field.field === anyField.typeUrl) typeUrl = textOf(field);
    else if (field.field === anyField.value && field.bytes !== null) value = field.bytes;
  }
  return { typeUrl, value };
}
