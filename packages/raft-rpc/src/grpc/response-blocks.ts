import { HeaderBlockBuilder } from "../hpack/encoder.ts";
import type { Metadata } from "./metadata.ts";
import { encodePercent } from "./percent.ts";
import { StatusCode } from "./status.ts";

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

export function responseBlockWith(metadata: Metadata): Uint8Array {
  if (metadata.size === 0) return responseBlock;
  const block = new HeaderBlockBuilder().field(":status", "200").field("content-type", contentType);
  appendMetadata(block, metadata);
  return block.build();
}

function appendStatus(block: HeaderBlockBuilder, code: StatusCode, message: string): void {
  block.field("grpc-status", String(code));
  if (message !== "") block.field("grpc-message", encodePercent(message.slice(0, messageCharactersMax)));
}

export function trailersBlock(code: StatusCode, message: string, metadata: Metadata | null): Uint8Array {
  if (code === StatusCode.OK && message === "" && metadata === null) return okTrailers;
  const block = new HeaderBlockBuilder();
  appendStatus(block, code, message);
  if (metadata !== null) appendMetadata(block, metadata);
  return block.build();
}

/** An answer that is only a status: one block with END_STREAM (PROTOCOL-HTTP2, Trailers-Only). */
export function trailersOnlyBlock(
  code: StatusCode,
  message: string,
  metadata: Metadata | null,
  extra: readonly [string, string] | null,
): Uint8Array {
  const block = new HeaderBlockBuilder().field(":status", "200").field("content-type", contentType);
  if (extra !== null) block.field(extra[0], extra[1]);
  appendStatus(block, code, message);
  if (metadata !== null) appendMetadata(block, metadata);
  return block.build();
}

/** An answer to what is not gRPC. */
export function httpStatusBlock(httpStatus: number): Uint8Array {
  return new HeaderBlockBuilder().field(":status", String(httpStatus)).field("content-length", "0").build();
}
