import { HeaderBlockBuilder } from "../hpack/encoder.ts";
import { encodeBase64 } from "./base64.ts";
import type { Metadata } from "./metadata.ts";
import { encodePercent } from "./percent.ts";
import { StatusCode } from "./status.ts";
import { type ErrorDetail, encodeStatusDetails } from "./status-details.ts";

const contentType = "application/grpc";
/** Longer messages are cut: trailers must fit into what any client accepts. */
const messageCharactersMax = 2048;

/** `:status: 200` and the content type: the start of a response without metadata. */
export const responseBlock = new HeaderBlockBuilder().field(":status", "200").field("content-type", contentType).build();

/** `grpc-status: 0`: the end of a call that succeeded. */
export const okTrailers = new HeaderBlockBuilder().field("grpc-status", "0").build();

function appendMetadata(block: HeaderBlockBuilder, metadata: Metadata): void {
  metadata.writeHeaders((name, value) => block.field(name, value));
}

/** `encoding`: of the messages that follow with the compressed flag; null if there are none. */
export function responseBlockWith(metadata: Metadata | null, encoding: string | null): Uint8Array {
  const isPlain = metadata === null || metadata.size === 0;
  if (isPlain && encoding === null) return responseBlock;
  const block = new HeaderBlockBuilder().field(":status", "200").field("content-type", contentType);
  if (encoding !== null) block.field("grpc-encoding", encoding).field("grpc-accept-encoding", `identity,${encoding}`);
  if (!isPlain) appendMetadata(block, metadata);
  return block.build();
}

/** How a call ends: what its last header block says. */
export interface CallStatus {
  readonly code: StatusCode;
  readonly message: string;
  readonly metadata: Metadata | null;
  readonly details: readonly ErrorDetail[];
}

function appendStatus(block: HeaderBlockBuilder, { code, message, metadata, details }: CallStatus): void {
  const told = message.slice(0, messageCharactersMax);
  block.field("grpc-status", String(code));
  if (told !== "") block.field("grpc-message", encodePercent(told));
  const detailBytes = encodeStatusDetails(code, told, details);
  if (detailBytes !== null) block.field("grpc-status-details-bin", encodeBase64(detailBytes));
  if (metadata !== null) appendMetadata(block, metadata);
}

export function trailersBlock(status: CallStatus): Uint8Array {
  const isPlain = status.message === "" && status.details.length === 0 && (status.metadata === null || status.metadata.size === 0);
  if (status.code === StatusCode.OK && isPlain) return okTrailers;
  const block = new HeaderBlockBuilder();
  appendStatus(block, status);
  return block.build();
}

/** An answer that is only a status: one block with END_STREAM (PROTOCOL-HTTP2, Trailers-Only). */
export function trailersOnlyBlock(status: CallStatus, extra: readonly [string, string] | null): Uint8Array {
  const block = new HeaderBlockBuilder().field(":status", "200").field("content-type", contentType);
  if (extra !== null) block.field(extra[0], extra[1]);
  appendStatus(block, status);
  return block.build();
}
