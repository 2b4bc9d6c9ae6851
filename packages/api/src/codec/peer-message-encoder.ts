import type { AppendEntries, EntryKind, ForwardPropose, PeerMessage, RequestPreVote, RequestVote } from "@raftkv/raft-core";
import { CodecError } from "./codec-error.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";
import { snapshotMetaBytesMax, writeSnapshotMeta } from "./snapshot-meta.ts";

/** Upper bound of the integers and tags of a message without entries, payloads and members. */
const MESSAGE_FIXED_BYTES_MAX = 96;
/** The same for one entry: term, kind, three tags and lengths. */
const ENTRY_FIXED_BYTES_MAX = 24;

const entryKindNumbers: Readonly<Record<EntryKind, number>> = { command: 1, empty: 2, configuration: 3 };
/** Field number * 8 + 2 in the oneof of PeerMessage. */
const messageTags: Readonly<Record<PeerMessage["type"], number>> = {
  requestPreVote: 0x0a,
  requestPreVoteResponse: 0x12,
  requestVote: 0x1a,
  requestVoteResponse: 0x22,
  appendEntries: 0x2a,
  appendEntriesResponse: 0x32,
  heartbeat: 0x3a,
  heartbeatResponse: 0x42,
  installSnapshot: 0x4a,
  timeoutNow: 0x52,
  transferLeadership: 0x5a,
  forwardPropose: 0x62,
  readIndexRequest: 0x6a,
  readIndexResponse: 0x72,
};

/** An upper bound of what the message takes in a frame, in bytes: for limits on frames and queues. */
export function peerMessageBytesMax(message: PeerMessage): number {
  let bytes = MESSAGE_FIXED_BYTES_MAX;
  switch (message.type) {
    case "appendEntries":
      for (const entry of message.entries) bytes += ENTRY_FIXED_BYTES_MAX + entry.data.length;
      return bytes;
    case "forwardPropose":
      for (const payload of message.payloads) bytes += ENTRY_FIXED_BYTES_MAX + payload.length;
      return bytes;
    case "installSnapshot":
      return bytes + snapshotMetaBytesMax(message.snapshot);
    default:
      return bytes;
  }
}

/** Appends a `raftkv.peer.v1.PeerMessage` to the message being written, under `tag`. */
export function writePeerMessage(writer: ProtobufWriter, tag: number, message: PeerMessage): void {
  const sizeHint = peerMessageSizeHint(message);
  writer.open(tag, sizeHint);
  writer.open(messageTags[message.type], sizeHint);
  writePeerMessageFields(writer, message);
  writer.close();
  writer.close();
}

/** The fields of a `raftkv.peer.v1` message, without its tag and length. */
export function writePeerMessageFields(writer: ProtobufWriter, message: PeerMessage): void {
  writer.uintField(0x08, message.from);
  writer.uintField(0x10, message.to);
  switch (message.type) {
    case "requestPreVote":
      writeVoteQuestion(writer, message);
      return;
    case "requestVote":
      writeVoteQuestion(writer, message);
      writer.boolField(0x38, message.isTransfer);
      return;
    case "requestPreVoteResponse":
    case "requestVoteResponse":
      writer.uintField(0x18, message.term);
      writer.boolField(0x20, message.granted);
      if (message.repairId !== undefined) writer.uintField(0x28, message.repairId);
      return;
    case "appendEntries":
      writeAppendEntries(writer, message);
      return;
    case "appendEntriesResponse":
      writer.uintField(0x18, message.term);
      writer.uintField(0x20, message.index);
      writer.boolField(0x28, message.rejected);
      writer.uintField(0x30, message.hintIndex);
      writer.uintField(0x38, message.hintTerm);
      if (message.repairId !== undefined) writer.uintField(0x40, message.repairId);
      return;
    case "heartbeat":
      writer.uintField(0x18, message.term);
      writer.uintField(0x20, message.commit);
      writer.uintField(0x28, message.readPosition);
      if (message.repair === undefined) return;
      writer.uintField(0x30, message.repair.id);
      writer.uintField(0x38, message.repair.index);
      return;
    case "heartbeatResponse":
      writer.uintField(0x18, message.term);
      writer.uintField(0x20, message.readPosition);
      if (message.repairId !== undefined) writer.uintField(0x28, message.repairId);
      return;
    case "installSnapshot":
      writer.uintField(0x18, message.term);
      writer.open(0x22, 1);
      writeSnapshotMeta(writer, message.snapshot);
      writer.close();
      return;
    case "timeoutNow":
      writer.uintField(0x18, message.term);
      writer.boolField(0x20, message.isResigning);
      return;
    case "transferLeadership":
      writer.uintField(0x18, message.term);
      writer.uintField(0x20, message.target);
      return;
    case "forwardPropose":
      writeForwardPropose(writer, message);
      return;
    case "readIndexRequest":
      writer.uintField(0x18, message.requestId);
      return;
    case "readIndexResponse":
      writer.uintField(0x18, message.requestId);
      writer.uintField(0x20, message.index);
      return;
  }
}

function writeVoteQuestion(writer: ProtobufWriter, message: RequestPreVote | RequestVote): void {
  writer.uintField(0x18, message.term);
  writer.uintField(0x20, message.lastIndex);
  writer.uintField(0x28, message.lastTerm);
  writer.uintField(0x30, message.priority);
}

function writeAppendEntries(writer: ProtobufWriter, message: AppendEntries): void {
  writer.uintField(0x18, message.term);
  writer.uintField(0x20, message.prevIndex);
  writer.uintField(0x28, message.prevTerm);
  writer.uintField(0x30, message.commit);
  let index = message.prevIndex;
  for (const entry of message.entries) {
    index += 1;
    if (entry.index !== index) throw new CodecError(`Entry ${entry.index} stands where entry ${index} is expected`);
    writer.open(0x3a, entry.data.length);
    writer.uintField(0x08, entry.term);
    writer.uintField(0x10, entryKindNumbers[entry.kind]);
    writer.bytesField(0x1a, entry.data);
    writer.close();
  }
}

function writeForwardPropose(writer: ProtobufWriter, message: ForwardPropose): void {
  writer.uintField(0x18, entryKindNumbers[message.kind]);
  for (const payload of message.payloads) writer.bytesElement(0x22, payload);
}

/** Near the size from below, so that the room kept for a length is mostly right. */
function peerMessageSizeHint(message: PeerMessage): number {
  if (message.type !== "appendEntries" && message.type !== "forwardPropose") return 1;
  let bytes = 0;
  if (message.type === "appendEntries") for (const entry of message.entries) bytes += entry.data.length + 8;
  else for (const payload of message.payloads) bytes += payload.length + 2;
  return bytes;
}
