import type { Random } from "./ports.ts";

/**
 * What a proposal looks like in the log, so that the member where it came from knows it again when it is applied, whichever
 * leader committed it:
 *
 *      0            8              12
 *      +------------+--------------+----------- - -
 *      | origin (8) | sequence (4) | command
 *      +------------+--------------+----------- - -
 *
 * `origin` is random for each life of a process; `sequence` counts its proposals modulo 2^32.
 */
export const envelopeBytes = 12;

/** The command in the data of an entry of kind `command`, a view. */
export function commandOf(entryData: Uint8Array): Uint8Array {
  return entryData.subarray(envelopeBytes);
}

const slabBytes = 64 * 1024;

/** Copies proposals into slabs, one allocation for some two hundred small commands. */
export class EntryEnvelope {
  private readonly origin: Uint8Array;
  private slab = new Uint8Array(slabBytes);
  private slabUsed = 0;

  constructor(random: Random) {
    this.origin = random.bytes(8);
  }

  wrap(sequence: number, command: Uint8Array): Uint8Array {
    const entry = this.allocate(envelopeBytes + command.length);
    entry.set(this.origin, 0);
    entry[8] = sequence >>> 24;
    entry[9] = sequence >>> 16;
    entry[10] = sequence >>> 8;
    entry[11] = sequence;
    entry.set(command, envelopeBytes);
    return entry;
  }

  /** The sequence of an entry that was proposed by this process, or -1 for anybody else's. */
  ownSequence(entry: Uint8Array): number {
    for (let at = 0; at < 8; at++) if (entry[at] !== this.origin[at]) return -1;
    return (((entry[8] ?? 0) << 24) | ((entry[9] ?? 0) << 16) | ((entry[10] ?? 0) << 8) | (entry[11] ?? 0)) >>> 0;
  }

  private allocate(size: number): Uint8Array {
    if (size > slabBytes / 4) return new Uint8Array(size);
    if (this.slabUsed + size > slabBytes) {
      this.slab = new Uint8Array(slabBytes);
      this.slabUsed = 0;
    }
    const piece = this.slab.subarray(this.slabUsed, this.slabUsed + size);
    this.slabUsed += size;
    return piece;
  }
}
