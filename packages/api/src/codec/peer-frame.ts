import type { InstallSnapshot, PeerMessage } from "@raftkv/raft-core";
import { CodecError } from "./codec-error.ts";
import { type Hello, readHello, writeHello } from "./hello.ts";
import { readInstallSnapshot, readPeerMessage } from "./peer-message-decoder.ts";
import { peerMessageBytesMax, writePeerMessage, writePeerMessageFields } from "./peer-message-encoder.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** `raftkv.peer.v1.PeerFrame`. */
export type PeerFrame =
  | { readonly type: "hello"; readonly hello: Hello }
  | { readonly type: "batch"; readonly messages: readonly PeerMessage[] };

/** `raftkv.peer.v1.SnapshotFrame`: one hello, one message, then chunks of `sizeBytes` together. */
export type SnapshotFrame =
  | { readonly type: "hello"; readonly hello: Hello }
  | { readonly type: "message"; readonly message: InstallSnapshot; readonly sizeBytes: number }
  | { readonly type: "chunk"; readonly chunk: Uint8Array };

/** Messages in one batch: the smallest takes 4 bytes on the wire and some 100 in memory. */
export const BATCH_MESSAGES_MAX = 65_536;

const FRAME_FIXED_BYTES_MAX = 16;

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

/** Throws CodecError if a message can't be written: an integer that is not safe, entries with a gap, too many messages. */
export function encodePeerFrame(frame: PeerFrame): Uint8Array {
  if (frame.type === "hello") return encodeHelloFrame(frame.hello);
  const { messages } = frame;
  if (messages.length > BATCH_MESSAGES_MAX)
    throw new CodecError(`Batch of ${messages.length} messages is above the limit ${BATCH_MESSAGES_MAX}`);
  let bytesMax = FRAME_FIXED_BYTES_MAX;
  for (const message of messages) bytesMax += peerMessageBytesMax(message);
  writer.begin(bytesMax);
  writer.open(0x12, bytesMax);
  for (const message of messages) writePeerMessage(writer, 0x0a, message);
  writer.close();
  return writer.finish();
}

/** Entry data and payloads are views into `bytes`. Throws CodecError. */
export function decodePeerFrame(bytes: Uint8Array): PeerFrame {
  let frame: PeerFrame | null = null;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag !== 0x0a && tag !== 0x12) {
      reader.skip(tag);
      continue;
    }
    if (frame !== null) throw new CodecError(`Peer frame holds field ${tag >>> 3} and a ${frame.type}, one is allowed`);
    const outer = reader.enter();
    frame = tag === 0x0a ? { type: "hello", hello: readHello(reader) } : { type: "batch", messages: readMessages() };
    reader.leave(outer);
  }
  reader.release();
  if (frame === null) throw new CodecError(`Peer frame of ${bytes.length} bytes is of no known type`);
  return frame;
}

/** Throws CodecError if the message can't be written. */
export function encodeSnapshotFrame(frame: SnapshotFrame): Uint8Array {
  switch (frame.type) {
    case "hello":
      return encodeHelloFrame(frame.hello);
    case "message":
      writer.begin(peerMessageBytesMax(frame.message) + FRAME_FIXED_BYTES_MAX);
      writer.open(0x12, 1);
      writePeerMessageFields(writer, frame.message);
      writer.uintField(0x28, frame.sizeBytes);
      writer.close();
      return writer.finish();
    case "chunk":
      writer.begin(frame.chunk.length + FRAME_FIXED_BYTES_MAX);
      writer.bytesElement(0x1a, frame.chunk);
      return writer.finish();
  }
}

/** A chunk is a view into `bytes`. Throws CodecError. */
export function decodeSnapshotFrame(bytes: Uint8Array): SnapshotFrame {
  let frame: SnapshotFrame | null = null;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a) {
      reader.skip(tag);
      continue;
    }
    if (frame !== null) throw new CodecError(`Snapshot frame holds field ${tag >>> 3} and a ${frame.type}, one is allowed`);
    if (tag === 0x1a) {
      frame = { type: "chunk", chunk: reader.bytes() };
      continue;
    }
    const outer = reader.enter();
    frame = tag === 0x0a ? { type: "hello", hello: readHello(reader) } : { type: "message", ...readInstallSnapshot(reader) };
    reader.leave(outer);
  }
  reader.release();
  if (frame === null) throw new CodecError(`Snapshot frame of ${bytes.length} bytes is of no known type`);
  return frame;
}

/** The hello has the same number in both kinds of frames. */
function encodeHelloFrame(hello: Hello): Uint8Array {
  writer.begin(FRAME_FIXED_BYTES_MAX);
  writer.open(0x0a, 1);
  writeHello(writer, hello);
  writer.close();
  return writer.finish();
}

function readMessages(): readonly PeerMessage[] {
  const messages: PeerMessage[] = [];
  while (reader.more()) {
    const tag = reader.tag();
    if (tag !== 0x0a) {
      reader.skip(tag);
      continue;
    }
    if (messages.length === BATCH_MESSAGES_MAX) throw new CodecError(`Batch has more than ${BATCH_MESSAGES_MAX} messages`);
    const outer = reader.enter();
    messages.push(readPeerMessage(reader));
    reader.leave(outer);
  }
  return messages;
}
