import type { Configuration, NodeId, SnapshotMeta } from "@raftkv/raft-core";
import { CodecError } from "./codec-error.ts";
import type { ProtobufReader } from "./protobuf-reader.ts";
import type { ProtobufWriter } from "./protobuf-writer.ts";

/** Node ids in all lists of a configuration together; a snapshot file has room for a few more. */
export const CONFIGURATION_IDS_MAX = 480;

const VARINT_BYTES_MAX = 10;
/** Index and term, the tags and lengths of four lists and of what holds them. */
const FIXED_BYTES_MAX = 80;

/** A `raftkv.peer.v1.SnapshotMeta` while it is read: of a field that comes twice the last counts, lists and configurations are merged. */
export interface SnapshotMetaDraft {
  index: number;
  term: number;
  readonly voters: NodeId[];
  readonly outgoing: NodeId[];
  readonly learners: NodeId[];
  readonly learnersNext: NodeId[];
  autoLeave: boolean;
}

export function emptySnapshotMeta(): SnapshotMetaDraft {
  return { index: 0, term: 0, voters: [], outgoing: [], learners: [], learnersNext: [], autoLeave: false };
}

/** An upper bound of what it takes in a message, in bytes. */
export function snapshotMetaBytesMax(snapshot: SnapshotMeta): number {
  return FIXED_BYTES_MAX + VARINT_BYTES_MAX * idCount(snapshot.configuration);
}

/** Writes the fields of a SnapshotMeta, without its tag and length. Throws CodecError if there are too many members. */
export function writeSnapshotMeta(writer: ProtobufWriter, snapshot: SnapshotMeta): void {
  const { configuration } = snapshot;
  checkIdCount(idCount(configuration));
  writer.uintField(0x08, snapshot.index);
  writer.uintField(0x10, snapshot.term);
  writer.open(0x1a, idCount(configuration));
  writeIds(writer, 0x0a, configuration.voters);
  writeIds(writer, 0x12, configuration.outgoing);
  writeIds(writer, 0x1a, configuration.learners);
  writeIds(writer, 0x22, configuration.learnersNext);
  writer.boolField(0x28, configuration.autoLeave);
  writer.close();
}

/** Reads the SnapshotMeta that comes next into `draft`. */
export function readSnapshotMeta(reader: ProtobufReader, draft: SnapshotMetaDraft): void {
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x08:
        draft.index = reader.safeUint();
        break;
      case 0x10:
        draft.term = reader.safeUint();
        break;
      case 0x1a:
        readConfiguration(reader, draft);
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
}

export function snapshotMetaOf(draft: SnapshotMetaDraft): SnapshotMeta {
  const { index, term, ...configuration } = draft;
  return { index, term, configuration };
}

function readConfiguration(reader: ProtobufReader, draft: SnapshotMetaDraft): void {
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    const ids = listOf(draft, tag >>> 3);
    if (tag === 0x28) draft.autoLeave = reader.bool();
    else if (ids === null || !readIds(reader, tag, ids)) reader.skip(tag);
    checkIdCount(idCount(draft));
  }
  reader.leave(outer);
}

function listOf(draft: SnapshotMetaDraft, field: number): NodeId[] | null {
  switch (field) {
    case 1:
      return draft.voters;
    case 2:
      return draft.outgoing;
    case 3:
      return draft.learners;
    case 4:
      return draft.learnersNext;
    default:
      return null;
  }
}

/** Packed or one by one. False if the field is neither; nothing is read then. */
function readIds(reader: ProtobufReader, tag: number, ids: NodeId[]): boolean {
  if ((tag & 7) === 0) {
    ids.push(reader.safeUint());
    return true;
  }
  if ((tag & 7) !== 2) return false;
  const outer = reader.enter();
  while (reader.more()) {
    ids.push(reader.safeUint());
    checkIdCount(ids.length);
  }
  reader.leave(outer);
  return true;
}

function writeIds(writer: ProtobufWriter, tag: number, ids: readonly NodeId[]): void {
  if (ids.length === 0) return;
  writer.open(tag, ids.length);
  for (const id of ids) writer.packedUint(id);
  writer.close();
}

function idCount(configuration: Pick<Configuration, "voters" | "outgoing" | "learners" | "learnersNext">): number {
  const { voters, outgoing, learners, learnersNext } = configuration;
  return voters.length + outgoing.length + learners.length + learnersNext.length;
}

function checkIdCount(count: number): void {
  if (count > CONFIGURATION_IDS_MAX) throw new CodecError(`Configuration has more than ${CONFIGURATION_IDS_MAX} members`);
}
