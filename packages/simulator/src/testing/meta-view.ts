import type { HardState } from "@raftkv/raft-core";
import { DiskError } from "@raftkv/raft-node";
import type { SimulatedDisk } from "../disk/simulated-disk.ts";

export const metaPath = "/data/meta";
/** Where the copies begin, pair by pair: a record stands in both copies of one of them. */
export const metaPairs = [
  [0, 16_384],
  [32_768, 49_152],
] as const;
/** Size of a copy. */
export const metaCopyBytes = 512;
/** A copy from its magic to its vote, the generation among it. */
const headBytes = 56;
const magic = new TextEncoder().encode("RKVMETA1");
const generationAt = 16;
const termAt = 40;
const voteAt = 48;

/** Term and vote that a member's disk will have after whatever happens: what both copies of the newest record say. */
export class MetaView {
  readonly #disk: SimulatedDisk;
  #seen: HardState | null = null;
  #generations: readonly number[] = [];

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  /** Null while the newest record stands in one copy alone or may be lost with the power, and when it is damaged. */
  get hardState(): HardState | null {
    const pairs = metaPairs.map((pair) => pair.map((offset) => this.#read(offset)));
    const generations = pairs.flat().map(lowGenerationIn);
    if (generations.every((generation, copy) => generation === this.#generations[copy])) return this.#seen;
    this.#generations = generations;
    this.#seen = this.#safeHardState(pairs);
    return this.#seen;
  }

  #safeHardState(pairs: readonly (readonly Uint8Array[])[]): HardState | null {
    const generations = pairs.map((pair) => Math.max(...pair.map(generationIn)));
    const newest = generations[1] !== undefined && generations[1] > (generations[0] ?? -1) ? 1 : 0;
    const [first, second] = pairs[newest] ?? [];
    if (first === undefined || second === undefined || !isSameRecord(first, second)) return null;
    const file = this.#disk.fileAt(metaPath);
    return metaPairs[newest].every((offset) => file.isDurable(offset, offset + metaCopyBytes)) ? hardStateIn(first) : null;
  }

  #read(offset: number): Uint8Array {
    try {
      return this.#disk.fileAt(metaPath).read(offset, headBytes);
    } catch (reason) {
      if (!(reason instanceof DiskError)) throw reason;
      return new Uint8Array(0);
    }
  }
}

/** Its low 16 bits, which tell apart what follows each other; this is asked after every event. */
function lowGenerationIn(copy: Uint8Array): number {
  return (copy[generationAt] ?? 0) + 2 ** 8 * (copy[generationAt + 1] ?? 0);
}

/** -1 where no copy begins. */
function generationIn(copy: Uint8Array): number {
  return hasMagic(copy) ? Number(viewOf(copy).getBigUint64(generationAt, true)) : -1;
}

function hasMagic(copy: Uint8Array): boolean {
  return copy.length === headBytes && magic.every((byte, at) => copy[at] === byte);
}

function isSameRecord(one: Uint8Array, other: Uint8Array): boolean {
  return hasMagic(one) && one.every((byte, at) => other[at] === byte);
}

function hardStateIn(copy: Uint8Array): HardState {
  const view = viewOf(copy);
  return { term: Number(view.getBigUint64(termAt, true)), vote: Number(view.getBigUint64(voteAt, true)), commit: 0 };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
