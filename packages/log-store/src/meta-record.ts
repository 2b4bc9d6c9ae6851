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
  /** +1 at each writing. Even ones stand in the first pair of copies, odd ones in the second. */
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

/** Far from each other: a fault of the disk, or a page of flash that a power loss tore, covers some KiB around what was written. */
const COPY_DISTANCE = 16 * 1024;
/** Whole pages, so that the kernel need not read, and a bad block can be replaced, where a copy is written. */
const PAIR_BYTES = COPY_DISTANCE + PAGE_BYTES;
/** No 16 KiB of the file belong to two pairs: what a writing tears is its own. */
const PAIR_DISTANCE = 2 * COPY_DISTANCE;
export const META_BYTES = PAIR_DISTANCE + PAIR_BYTES;
/** One sector, so that a power loss leaves a copy as it was or as it was to be. */
export const COPY_BYTES = 512;
/** Where the two copies of a pair begin. */
export type CopyPair = readonly [number, number];
export const META_PAIRS: readonly [CopyPair, CopyPair] = [
  [0, COPY_DISTANCE],
  [PAIR_DISTANCE, PAIR_DISTANCE + COPY_DISTANCE],
];
const MAGIC = "RKVMETA1";
const STATE_SOUND = 0;
const STATE_REPAIRING = 1;

export function firstMetaRecord(identity: Identity, storeId: bigint): MetaRecord {
  const nothing = { generation: 1, term: 0, vote: 0, bootGeneration: 0, lastSegment: 0, snapshotIndex: 0, snapshotTerm: 0, repairFrom: 0 };
  return { ...identity, storeId, ...nothing };
}

/**
 * ```
 * 0 magic 8 | 8 crc 4 (of 12..511) | 12 format 2 | 14 lowest reader 2 | 16 generation | 24 cluster | 32 member | 40 term | 48 vote
 * | 56 boot generation | 64 last segment | 72 state 1 | 73..79 reserved | 80 repair from | 88 snapshot index | 96 snapshot term | 104 store
 * | 112..511 reserved
 * ```
 * With the zeros of its page after it.
 */
export function encodeCopy(record: MetaRecord): Uint8Array {
  const bytes = new Uint8Array(PAGE_BYTES);
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
  return bytes;
}

/** Both copies of a record, as one writing puts them. */
export function encodePair(record: MetaRecord): Uint8Array {
  const bytes = new Uint8Array(PAIR_BYTES);
  const copy = encodeCopy(record);
  for (const offset of [0, COPY_DISTANCE]) bytes.set(copy, offset);
  return bytes;
}

/** A whole file: the pair that the record does not stand in says the same with the generation before. */
export function encodeMeta(record: MetaRecord): Uint8Array {
  const bytes = new Uint8Array(META_BYTES);
  for (const { generation } of [record, { generation: record.generation - 1 }]) {
    bytes.set(encodePair({ ...record, generation }), pairOf(generation)[0]);
  }
  return bytes;
}

/** Where the copies of a generation stand. */
export function pairOf(generation: number): CopyPair {
  const [even, odd] = META_PAIRS;
  return generation % 2 === 0 ? even : odd;
}

export type MetaCopy =
  | { readonly kind: "valid"; readonly record: MetaRecord }
  | { readonly kind: "damaged" }
  /** Sound, but made by a version or for a purpose that this one does not know. */
  | { readonly kind: "unknown"; readonly what: string };

/** Reads the copy at `offset`; one whose generation belongs into the other pair is damaged. */
export function decodeCopy(bytes: Uint8Array, offset: number): MetaCopy {
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
  return pairOf(record.generation).includes(offset) ? { kind: "valid", record } : { kind: "damaged" };
}
