import type { CellRef } from "./cell-arena.ts";
import { HistoryArena } from "./history-arena.ts";
import type { LoadedVersion } from "./loaded-version.ts";
import { NodeArena, type NodeRef } from "./node-arena.ts";
import { ValueArena } from "./value-arena.ts";

/**
 * A version of a key: the reference of a node is its newest version, that of a history cell with a minus an older one. 0 is none.
 * An older version keeps its reference; the newest gets another when it is replaced.
 */
export type VersionRef = number;

/** The fields of a version besides key and value. */
export interface VersionFields {
  readonly createRevision: number;
  readonly modRevision: number;
  /** 0 for a tombstone. */
  readonly version: number;
  readonly leaseHigh: number;
  readonly leaseLow: number;
}

/** Counted for each version beside its key and value, near what it takes. */
const versionOverheadBytes = 64;

/** Bytes that a version with such a key and value counts for. */
export function payloadBytesOf(keyLength: number, valueLength: number): number {
  return keyLength + valueLength + versionOverheadBytes;
}

/**
 * The versions of all keys, the newest first. Of a deleted key the newest is a tombstone: its version is 0, and it has no value.
 *
 *     node ────► cell ◄───► cell ◄───► cell        older ──►   ◄── newer
 *     newest       │          │          │
 *        ▼         ▼          ▼          ▼
 *      value     value      (none)     value
 */
export class VersionStore {
  readonly nodes = new NodeArena();
  readonly history = new HistoryArena();
  readonly values = new ValueArena();

  get usedBytes(): number {
    const { towers, records } = this.nodes;
    return towers.liveBytes + records.liveBytes + this.history.cells.liveBytes + this.values.cells.liveBytes;
  }

  get reservedBytes(): number {
    const { towers, records } = this.nodes;
    return towers.reservedBytes + records.reservedBytes + this.history.cells.reservedBytes + this.values.cells.reservedBytes;
  }

  nodeOf(version: VersionRef): NodeRef {
    return version > 0 ? version : this.history.node(-version);
  }

  load(version: VersionRef, into: LoadedVersion): void {
    if (version > 0) this.nodes.loadVersion(version, into);
    else this.history.loadVersion(-version, into);
  }

  createRevision(version: VersionRef): number {
    return version > 0 ? this.nodes.createRevision(version) : this.history.createRevision(-version);
  }

  modRevision(version: VersionRef): number {
    return version > 0 ? this.nodes.modRevision(version) : this.history.modRevision(-version);
  }

  /** How often the key was written since it was created; 0 is a tombstone. */
  version(version: VersionRef): number {
    return version > 0 ? this.nodes.version(version) : this.history.version(-version);
  }

  isTombstone(version: VersionRef): boolean {
    return this.version(version) === 0;
  }

  leaseHigh(version: VersionRef): number {
    return version > 0 ? this.nodes.leaseHigh(version) : this.history.leaseHigh(-version);
  }

  leaseLow(version: VersionRef): number {
    return version > 0 ? this.nodes.leaseLow(version) : this.history.leaseLow(-version);
  }

  valueCell(version: VersionRef): CellRef {
    return version > 0 ? this.nodes.valueCell(version) : this.history.valueCell(-version);
  }

  valueLength(version: VersionRef): number {
    return version > 0 ? this.nodes.valueLength(version) : this.history.valueLength(-version);
  }

  /** The value where it lies, valid until the next write. */
  valueView(version: VersionRef): Uint8Array {
    return this.values.view(this.valueCell(version), this.valueLength(version));
  }

  /** The number of the event that made the version, modulo 2^32. */
  event(version: VersionRef): number {
    return version > 0 ? this.nodes.event(version) : this.history.event(-version);
  }

  setEvent(version: VersionRef, number: number): void {
    if (version > 0) this.nodes.setEvent(version, number);
    else this.history.setEvent(-version, number);
  }

  /** The version that this one replaced, 0 if none is left. */
  older(version: VersionRef): VersionRef {
    return 0 - (version > 0 ? this.nodes.older(version) : this.history.older(-version));
  }

  /** The version that replaced this one, 0 if none did. */
  newer(version: VersionRef): VersionRef {
    if (version > 0) return 0;
    const cell = this.history.newer(-version);
    return cell === 0 ? this.history.node(-version) : -cell;
  }

  /** The version that was the newest of a node at `revision`, tombstone or not; 0 if there was none. */
  newestAt(node: NodeRef, revision: number): VersionRef {
    let version: VersionRef = node;
    while (version !== 0 && this.modRevision(version) > revision) version = this.older(version);
    return version;
  }

  /** Bytes that a version counts for. Depends on the key and the value only. */
  payloadBytes(version: VersionRef): number {
    return payloadBytesOf(this.nodes.keyLength(this.nodeOf(version)), this.valueLength(version));
  }

  /** Moves the newest version of a node, its value with it, to a history cell, to make room for the next one. */
  retire(node: NodeRef): VersionRef {
    const { nodes, history } = this;
    const cell = history.create(node, nodes.valueCell(node), nodes.valueLength(node), nodes.leaseHigh(node), nodes.leaseLow(node));
    history.setRevisions(cell, nodes.createRevision(node), nodes.modRevision(node), nodes.version(node));
    history.setEvent(cell, nodes.event(node));
    const older = nodes.older(node);
    history.setOlder(cell, older);
    if (older !== 0) history.setNewer(older, cell);
    nodes.setOlder(node, cell);
    return -cell;
  }

  /** Adds a version behind the oldest one, for a history that is built from the newest version on. */
  appendOlder(newer: VersionRef, value: Uint8Array, fields: VersionFields): VersionRef {
    const { history } = this;
    const { leaseHigh, leaseLow } = fields;
    const cell = history.create(this.nodeOf(newer), this.values.store(value), value.length, leaseHigh, leaseLow);
    history.setRevisions(cell, fields.createRevision, fields.modRevision, fields.version);
    history.setOlder(cell, 0);
    history.setNewer(cell, newer < 0 ? -newer : 0);
    this.#setOlder(newer, cell);
    return -cell;
  }

  /** Frees the oldest version of a key, which is not its newest. */
  freeOldest(version: VersionRef): void {
    this.#setOlder(this.newer(version), 0);
    this.values.free(this.valueCell(version));
    this.history.free(-version);
  }

  /** Frees a node that is linked nowhere, and its only version. */
  freeNode(node: NodeRef): void {
    this.values.free(this.nodes.valueCell(node));
    this.nodes.free(node);
  }

  #setOlder(version: VersionRef, older: CellRef): void {
    if (version > 0) this.nodes.setOlder(version, older);
    else this.history.setOlder(-version, older);
  }
}
