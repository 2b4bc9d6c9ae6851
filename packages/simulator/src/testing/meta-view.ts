import type { HardState } from "@raftkv/raft-core";
import { DiskError } from "@raftkv/raft-node";
import type { SimulatedDisk } from "../disk/simulated-disk.ts";

export const metaPath = "/data/meta";
/** Where the second of the two copies begins. */
export const metaCopyOffset = 16_384;
/** A copy from its magic to its vote, the generation among it. */
const headBytes = 56;
const magic = new TextEncoder().encode("RKVMETA1");
const generationAt = 16;
const termAt = 40;
const voteAt = 48;

/** Term and vote that a member's disk will have after whatever happens: what both copies of its meta file say. */
export class MetaView {
  readonly #disk: SimulatedDisk;
  #seen: HardState | null = null;
  #generations: readonly number[] = [];

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  /** Null while the copies differ, and when they are damaged. */
  get hardState(): HardState | null {
    const first = this.#read(0);
    const second = this.#read(metaCopyOffset);
    const generations = [generationIn(first), generationIn(second)];
    if (generations.every((generation, copy) => generation === this.#generations[copy])) return this.#seen;
    this.#generations = generations;
    this.#seen = isSameRecord(first, second) ? hardStateIn(first) : null;
    return this.#seen;
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
function generationIn(copy: Uint8Array): number {
  return (copy[generationAt] ?? 0) + 2 ** 8 * (copy[generationAt + 1] ?? 0);
}

function isSameRecord(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === headBytes && magic.every((byte, at) => one[at] === byte) && one.every((byte, at) => other[at] === byte);
}

function hardStateIn(copy: Uint8Array): HardState {
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  return { term: Number(view.getBigUint64(termAt, true)), vote: Number(view.getBigUint64(voteAt, true)), commit: 0 };
}
