import type {
  AppendEntries,
  AppendEntriesResponse,
  EntryKind,
  ForwardPropose,
  Heartbeat,
  HeartbeatResponse,
  InstallSnapshot,
  LogEntry,
  PeerMessage,
  RequestVote,
  RequestVoteResponse,
} from "@raftkv/raft-core";
import { CodecError } from "./codec-error.ts";
import { emptyBytes, type ProtobufReader } from "./protobuf-reader.ts";
import { emptySnapshotMeta, readSnapshotMeta, snapshotMetaOf } from "./snapshot-meta.ts";

/** Entries or payloads in one message. An empty one takes 2 bytes on the wire and some 100 in memory. */
const ELEMENTS_MAX = 1_048_576;

/** By number on the wire. */
const entryKinds: readonly (EntryKind | undefined)[] = [undefined, "command", "empty", "configuration"];

/**
 * The integer fields of the message being read, by field number. All messages have `from` = 1 and `to` = 2; what the others mean
 * depends on the message.
 */
const integers = new Float64Array(9);

/** Reads the `raftkv.peer.v1.PeerMessage` that was entered, to its end. Entry data and payloads are views. Throws CodecError. */
export function readPeerMessage(reader: ProtobufReader): PeerMessage {
  let message: PeerMessage | null = null;
  while (reader.more()) {
    const tag = reader.tag();
    if ((tag & 7) !== 2 || tag > 0x72) {
      reader.skip(tag);
      continue;
    }
    if (message !== null) throw new CodecError(`Peer message holds field ${tag >>> 3} and ${message.type}, one is allowed`);
    const outer = reader.enter();
    message = readMessageOfTag(reader, tag);
    reader.leave(outer);
  }
  if (message === null) throw new CodecError("Peer message is of no known type");
  return message;
}

/** Reads the fields of the `raftkv.peer.v1.InstallSnapshot` that was entered, to its end. */
export function readInstallSnapshot(reader: ProtobufReader): { readonly message: InstallSnapshot; readonly sizeBytes: number } {
  const snapshot = emptySnapshotMeta();
  integers.fill(0);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x22) readSnapshotMeta(reader, snapshot);
    else if (tag === 0x20 || !readInteger(reader, tag, 5)) reader.skip(tag);
  }
  return {
    message: { type: "installSnapshot", from: integer(1), to: integer(2), term: integer(3), snapshot: snapshotMetaOf(snapshot) },
    sizeBytes: integer(5),
  };
}

function readMessageOfTag(reader: ProtobufReader, tag: number): PeerMessage {
  switch (tag) {
    case 0x0a:
      readIntegers(reader, 6);
      return { type: "requestPreVote", from: integer(1), to: integer(2), term: integer(3), ...voteQuestion() };
    case 0x12:
      return { type: "requestPreVoteResponse", ...readVoteAnswer(reader) };
    case 0x1a:
      readIntegers(reader, 7);
      return {
        type: "requestVote",
        from: integer(1),
        to: integer(2),
        term: integer(3),
        ...voteQuestion(),
        isTransfer: integer(7) !== 0,
      };
    case 0x22:
      return { type: "requestVoteResponse", ...readVoteAnswer(reader) };
    case 0x2a:
      return readAppendEntries(reader);
    case 0x32:
      return readAppendEntriesResponse(reader);
    case 0x3a:
      return readHeartbeat(reader);
    case 0x42:
      return readHeartbeatResponse(reader);
    case 0x4a:
      return readInstallSnapshot(reader).message;
    case 0x52:
      readIntegers(reader, 4);
      return { type: "timeoutNow", from: integer(1), to: integer(2), term: integer(3), isResigning: integer(4) !== 0 };
    case 0x5a:
      readIntegers(reader, 4);
      return { type: "transferLeadership", from: integer(1), to: integer(2), term: integer(3), target: integer(4) };
    case 0x62:
      return readForwardPropose(reader);
    case 0x6a:
      readIntegers(reader, 3);
      return { type: "readIndexRequest", from: integer(1), to: integer(2), requestId: integer(3) };
    case 0x72:
      readIntegers(reader, 4);
      return { type: "readIndexResponse", from: integer(1), to: integer(2), requestId: integer(3), index: integer(4) };
    default:
      throw new CodecError(`Peer message of field ${tag >>> 3} is not known`);
  }
}

/** What a vote and a pre-vote are asked with, after the integers of one were read. */
function voteQuestion(): Pick<RequestVote, "lastIndex" | "lastTerm" | "priority"> {
  return { lastIndex: integer(4), lastTerm: integer(5), priority: integer(6) };
}

/** A vote's and a pre-vote's answer. As in AppendEntriesResponse, the repair id of a sound member is absent. */
function readVoteAnswer(reader: ProtobufReader): Omit<RequestVoteResponse, "type"> {
  readIntegers(reader, 5);
  const answer = { from: integer(1), to: integer(2), term: integer(3), granted: integer(4) !== 0 };
  return integer(5) === 0 ? answer : { ...answer, repairId: integer(5) };
}

function readAppendEntries(reader: ProtobufReader): AppendEntries {
  const entries: LogEntry[] = [];
  integers.fill(0);
  /** The `prev_index` that the entries were numbered after. */
  let numberedAfter = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x3a) {
      if (entries.length === 0) numberedAfter = integer(4);
      checkElements(entries.length);
      entries.push(readEntry(reader, numberedAfter + entries.length + 1));
    } else if (!readInteger(reader, tag, 6)) reader.skip(tag);
  }
  const prevIndex = integer(4);
  if (prevIndex + entries.length > Number.MAX_SAFE_INTEGER) {
    throw new CodecError(`Entries after index ${prevIndex} have indexes above 2^53-1`);
  }
  return {
    type: "appendEntries",
    from: integer(1),
    to: integer(2),
    term: integer(3),
    prevIndex,
    prevTerm: integer(5),
    commit: integer(6),
    // Only a foreign encoder puts the entries before the index.
    entries: numberedAfter === prevIndex ? entries : entries.map((entry, i) => ({ ...entry, index: prevIndex + i + 1 })),
  };
}

/** A sound member's answer is without a repair id: zero, as protobuf has it, is absent in the core's message. */
function readAppendEntriesResponse(reader: ProtobufReader): AppendEntriesResponse {
  readIntegers(reader, 8);
  const response: AppendEntriesResponse = {
    type: "appendEntriesResponse",
    from: integer(1),
    to: integer(2),
    term: integer(3),
    index: integer(4),
    rejected: integer(5) !== 0,
    hintIndex: integer(6),
    hintTerm: integer(7),
  };
  return integer(8) === 0 ? response : { ...response, repairId: integer(8) };
}

function readHeartbeat(reader: ProtobufReader): Heartbeat {
  readIntegers(reader, 7);
  const heartbeat: Heartbeat = {
    type: "heartbeat",
    from: integer(1),
    to: integer(2),
    term: integer(3),
    commit: integer(4),
    readPosition: integer(5),
  };
  return integer(6) === 0 ? heartbeat : { ...heartbeat, repair: { id: integer(6), index: integer(7) } };
}

function readHeartbeatResponse(reader: ProtobufReader): HeartbeatResponse {
  readIntegers(reader, 5);
  const response: HeartbeatResponse = {
    type: "heartbeatResponse",
    from: integer(1),
    to: integer(2),
    term: integer(3),
    readPosition: integer(4),
  };
  return integer(5) === 0 ? response : { ...response, repairId: integer(5) };
}

function readEntry(reader: ProtobufReader, index: number): LogEntry {
  let term = 0;
  let kindNumber = 0;
  let data = emptyBytes;
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x08:
        term = reader.safeUint();
        break;
      case 0x10:
        kindNumber = reader.int32();
        break;
      case 0x1a:
        data = reader.bytes();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  const kind = entryKinds[kindNumber];
  if (kind === undefined) throw new CodecError(`Entry ${index} has kind ${kindNumber}, which is not known`);
  return { index, term, kind, data };
}

function readForwardPropose(reader: ProtobufReader): ForwardPropose {
  const payloads: Uint8Array[] = [];
  integers.fill(0);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x22) {
      checkElements(payloads.length);
      payloads.push(reader.bytes());
    } else if (!readInteger(reader, tag, 3)) reader.skip(tag);
  }
  const kind = entryKinds[integer(3)];
  if (kind === undefined || kind === "empty") throw new CodecError(`Forwarded proposal has kind ${integer(3)}, which is not known`);
  return { type: "forwardPropose", from: integer(1), to: integer(2), kind, payloads };
}

/** Reads a message that has nothing but integers in fields 1 to `fieldMax`. */
function readIntegers(reader: ProtobufReader, fieldMax: number): void {
  integers.fill(0);
  while (reader.more()) {
    const tag = reader.tag();
    if (!readInteger(reader, tag, fieldMax)) reader.skip(tag);
  }
}

/** False if the field is not an integer of fields 1 to `fieldMax`; nothing is read then. */
function readInteger(reader: ProtobufReader, tag: number, fieldMax: number): boolean {
  if ((tag & 7) !== 0 || tag >>> 3 > fieldMax) return false;
  integers[tag >>> 3] = reader.safeUint();
  return true;
}

function integer(field: number): number {
  return integers[field] as number;
}

function checkElements(count: number): void {
  if (count >= ELEMENTS_MAX) throw new CodecError(`Peer message has more than ${ELEMENTS_MAX} elements`);
}
