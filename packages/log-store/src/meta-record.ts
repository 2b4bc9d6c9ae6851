import { crc32c } from "./crc32c.ts";
import {
  FORMAT_VERSION,
  getU64,
  hasText,
  type Identity,
  isZero,
  PAGE_BYTES,
  type StoreIdentity,
  setText,
  setU64,
  viewOf,
} from "./format.ts";

/** What the meta file says: who the member is, its term and vote, and what must be found beside it. */
export interface MetaRecord extends StoreIdentity {
  /** +1 at each replacement. */
  readonly generation: number;
  readonly term: number;
  /** 0 for nobody in this term. */
  readonly vote: number;
  /** +1 at each start. */
  readonly bootGeneration: number;
  /** Highest segment number ever put in place, 0 before the first. */
  readonly lastSegment: number;
  /** Newest snapshot known durable, 0 and 0 for none. */
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
  /** First log index that may have been acknowledged and lost; 0 for a member that lost nothing, or has it back. */
  readonly repairFrom: number;
}

/** Far from the first copy: a fault of the disk, or a page of flash that a power loss tore, covers some KiB around what was written. */
const SECOND_COPY_OFFSET = 16 * 1024;
export const META_BYTES = SECOND_COPY_OFFSET + PAGE_BYTES;
/** One sector, so that a power loss leaves a copy as it was or as it was to be. */
const COPY_BYTES = 512;
const MAGIC = "RKVMETA1";
const STATE_SOUND = 0;
const STATE_REPAIRING = 1;

/** Which of the two copies. */
export type CopyNumber = 0 | 1;

export function firstMetaRecord(identity: Identity, storeId: bigint): MetaRecord {
  const nothing = { generation: 0, term: 0, vote: 0, bootGeneration: 0, lastSegment: 0, snapshotIndex: 0, snapshotTerm: 0, repairFrom: 0 };
  return { ...identity, storeId, ...nothing };
}

/**
 * ```
 * 0 magic 8 | 8 crc 4 (of 12..511) | 12 format 2 | 14 lowest reader 2 | 16 generation | 24 cluster | 32 member | 40 term | 48 vote
 * | 56 boot generation | 64 last segment | 72 state 1 | 73..79 reserved | 80 repair from | 88 snapshot index | 96 snapshot term | 104 store
 * | 112..511 reserved
 * ```
 * The same 512 bytes stand at 0 and at 16,384.
 */
export function encodeMeta(record: MetaRecord): Uint8Array {
  const bytes = new Uint8Array(META_BYTES);
  const view = viewOf(bytes);
  setText(bytes, 0, MAGIC);
  view.setUint16(12, FORMAT_VERSION, true);
  view.setUint16(14, FORMAT_VERSION, true);
  setU64(view, 16, record.generation);
  view.setBigUint64(24, record.clusterId, true);
  view.setBigUint64(32, record.memberId, true);
  setU64(view, 40, record.term);
  setU64(view, 48, record.vote);
  setU64(view, 56, record.bootGeneration);
  setU64(view, 64, record.lastSegment);
  view.setUint8(72, record.repairFrom === 0 ? STATE_SOUND : STATE_REPAIRING);
  setU64(view, 80, record.repairFrom);
  setU64(view, 88, record.snapshotIndex);
  setU64(view, 96, record.snapshotTerm);
  view.setBigUint64(104, record.storeId, true);
  view.setUint32(8, crc32c(bytes.subarray(12, COPY_BYTES)), true);
  bytes.copyWithin(SECOND_COPY_OFFSET, 0, COPY_BYTES);
  return bytes;
}

export type MetaCopy =
  | { readonly kind: "valid"; readonly record: MetaRecord }
  | { readonly kind: "damaged" }
  /** Sound, but made by a version or for a purpose that this one does not know. */
  | { readonly kind: "unknown"; readonly what: string };

function decodeCopy(bytes: Uint8Array): MetaCopy {
  const view = viewOf(bytes);
  if (bytes.length < COPY_BYTES || !hasText(bytes, 0, MAGIC)) return { kind: "damaged" };
  if (view.getUint32(8, true) !== crc32c(bytes.subarray(12, COPY_BYTES))) return { kind: "damaged" };
  const lowestReader = view.getUint16(14, true);
  if (lowestReader > FORMAT_VERSION) return { kind: "unknown", what: `format version ${lowestReader}` };
  const state = view.getUint8(72);
  if (state !== STATE_SOUND && state !== STATE_REPAIRING) return { kind: "unknown", what: `member state ${state}` };
  if (!isZero(bytes, 73, 80) || !isZero(bytes, 112, COPY_BYTES)) return { kind: "unknown", what: "fields in reserved bytes" };
  const record: MetaRecord = {
    generation: getU64(view, 16),
    clusterId: view.getBigUint64(24, true),
    memberId: view.getBigUint64(32, true),
    storeId: view.getBigUint64(104, true),
    term: getU64(view, 40),
    vote: getU64(view, 48),
    bootGeneration: getU64(view, 56),
    lastSegment: getU64(view, 64),
    snapshotIndex: getU64(view, 88),
    snapshotTerm: getU64(view, 96),
    repairFrom: getU64(view, 80),
  };
  const numbers = [record.generation, record.term, record.vote, record.bootGeneration, record.lastSegment];
  if ([...numbers, record.snapshotIndex, record.snapshotTerm, record.repairFrom].includes(-1)) return { kind: "damaged" };
  if (record.storeId === 0n || (record.repairFrom === 0) !== (state === STATE_SOUND)) return { kind: "damaged" };
  return { kind: "valid", record };
}

/** Where a copy begins. */
export function copyOffset(copy: CopyNumber): number {
  return copy * SECOND_COPY_OFFSET;
}

/** The bytes of one copy. */
export function encodeMetaCopy(record: MetaRecord): Uint8Array {
  return encodeMeta(record).subarray(0, COPY_BYTES);
}

/** Both copies of a meta file, whatever its size is. */
export function decodeMeta(bytes: Uint8Array): readonly [MetaCopy, MetaCopy] {
  return [decodeCopy(bytes.subarray(0, COPY_BYTES)), decodeCopy(bytes.subarray(SECOND_COPY_OFFSET, SECOND_COPY_OFFSET + COPY_BYTES))];
}
