import type { SeededRandom } from "../timeline/seeded-random.ts";

/** What a disk writes whole or not at all. */
export const sectorBytes = 512;

/** What may become of a sector that was being written when the power went. */
export type TornSector = "old or new" | "zero" | "rubbish";

/** One lost sector in so many is torn, where the disk tears at all. */
const tornOneIn = 4;

/** What the sectors written since a point held before; null: zeros. */
interface Generation {
  sizeBeforeBytes: number;
  readonly before: Map<number, Uint8Array | null>;
}

/** Handed out by `beginSync`. */
export type SyncToken = Generation;

/**
 * A file as its processes see it, and what would be left of it after a power cut.
 *
 *     durable ◄─ generation 1 ◄─ generation 2 ◄─ generation 3 (being written) = what reads return
 *                └ a sync closes a generation and, when it is done, forgets it and all older ones: their sectors are durable
 *
 * Each generation keeps what its sectors held before; a power cut goes back through them and lets chance decide sector by sector.
 */
export class FileImage {
  #bytes = new Uint8Array(0);
  #sizeBytes = 0;
  #generations: Generation[] = [];
  #current: Generation = { sizeBeforeBytes: 0, before: new Map() };
  /** Sectors of syncs that failed: the kernel counts them as clean, so that no later sync writes them (Rebello et al., ATC 2020). */
  #lost: Generation | null = null;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** A copy; shorter at the end of the file. */
  read(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(Math.min(offset, this.#sizeBytes), Math.min(offset + length, this.#sizeBytes));
  }

  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    this.#remember(offset, end);
    this.#reserve(end);
    this.#bytes.set(bytes, offset);
    this.#sizeBytes = Math.max(this.#sizeBytes, end);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      this.#remember(sizeBytes, this.#sizeBytes);
      this.#bytes.fill(0, sizeBytes, this.#sizeBytes);
    }
    this.#reserve(sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  /** What was written until now will be durable at `endSync`; what is written from now on will not. */
  beginSync(): SyncToken {
    const token = this.#current;
    this.#generations.push(token);
    this.#current = { sizeBeforeBytes: this.#sizeBytes, before: new Map() };
    return token;
  }

  endSync(token: SyncToken): void {
    const count = this.#generations.indexOf(token) + 1;
    for (const generation of this.#generations.splice(0, count)) {
      for (const sector of generation.before.keys()) this.#lost?.before.delete(sector);
    }
    const [next = this.#current] = this.#generations;
    if (this.#lost !== null) this.#lost.sizeBeforeBytes = next.sizeBeforeBytes;
  }

  /** The sync failed: reads go on returning the content, and no later sync makes it durable. */
  failSync(token: SyncToken): void {
    const count = this.#generations.indexOf(token) + 1;
    for (const generation of this.#generations.splice(0, count)) {
      this.#lost ??= { sizeBeforeBytes: generation.sizeBeforeBytes, before: new Map() };
      for (const [sector, before] of generation.before) {
        if (!this.#lost.before.has(sector)) this.#lost.before.set(sector, before);
      }
    }
  }

  /** What is in the sectors from `offset` to `end` is durable, and a size that holds them; the rest stays as it is. */
  syncRange(offset: number, end: number): void {
    if (end === offset) return;
    for (const generation of this.#undurable()) {
      generation.sizeBeforeBytes = Math.max(generation.sizeBeforeBytes, end);
      for (const sector of sectorsOf(offset, end)) generation.before.delete(sector);
    }
  }

  /** The same as `failSync`, for the sectors from `offset` to `end` alone. */
  failSyncRange(offset: number, end: number): void {
    const oldestFirst = this.#undurable();
    this.#lost ??= { sizeBeforeBytes: oldestFirst[0]?.sizeBeforeBytes ?? this.#sizeBytes, before: new Map() };
    for (const sector of sectorsOf(offset, end)) {
      const before = oldestFirst.find((generation) => generation.before.has(sector))?.before.get(sector);
      for (const generation of oldestFirst) generation.before.delete(sector);
      if (before !== undefined) this.#lost.before.set(sector, before);
    }
  }

  /** Whether a loss of power leaves the sectors from `offset` to `end` as they are. */
  isDurable(offset: number, end: number): boolean {
    const sectors = [...sectorsOf(offset, end)];
    return this.#undurable().every(({ before }) => !sectors.some((sector) => before.has(sector)));
  }

  /** Lets chance decide what of the unsynced is left. */
  losePower(random: SeededRandom, torn: TornSector): void {
    const survived = new Set<number>();
    const newestFirst = [this.#current, ...this.#generations.reverse(), ...(this.#lost === null ? [] : [this.#lost])];
    let isSizeSettled = false;
    for (const generation of newestFirst) {
      const survives = survivors(generation, random);
      for (const [sector, before] of generation.before) {
        if (survived.has(sector)) continue;
        if (survives(sector)) survived.add(sector);
        else this.#restore(sector, random.oneIn(torn === "old or new" ? 0 : tornOneIn) ? tornContent(random, torn) : before);
      }
      if (isSizeSettled || generation.sizeBeforeBytes === this.#sizeBytes) continue;
      isSizeSettled = random.oneIn(2);
      if (!isSizeSettled) this.truncate(generation.sizeBeforeBytes);
    }
    this.#generations = [];
    this.#lost = null;
    this.#current = { sizeBeforeBytes: this.#sizeBytes, before: new Map() };
  }

  /** Changes bytes behind everybody's back: rot. They are durable. */
  damage(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.#sizeBytes) throw new RangeError(`Damage to byte ${offset + bytes.length} of ${this.#sizeBytes}`);
    this.#bytes.set(bytes, offset);
  }

  /** Oldest first. */
  #undurable(): readonly Generation[] {
    return [...(this.#lost === null ? [] : [this.#lost]), ...this.#generations, this.#current];
  }

  #remember(start: number, end: number): void {
    const { before } = this.#current;
    for (const sector of sectorsOf(start, end)) {
      if (before.has(sector)) continue;
      const from = sector * sectorBytes;
      before.set(sector, from >= this.#sizeBytes ? null : this.#bytes.slice(from, from + sectorBytes));
    }
  }

  #restore(sector: number, content: Uint8Array | null): void {
    const from = sector * sectorBytes;
    const to = Math.min(from + sectorBytes, this.#sizeBytes);
    if (from >= to) return;
    if (content === null) this.#bytes.fill(0, from, to);
    else {
      // The copy may be shorter than a sector: the file ended there.
      this.#bytes.fill(0, from, to);
      this.#bytes.set(content.subarray(0, to - from), from);
    }
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(sizeBytes, 2 * this.#bytes.length, 4_096));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Numbers of the sectors that bytes from `start` to `end` touch; none for no bytes. */
function* sectorsOf(start: number, end: number): Generator<number> {
  if (end === start) return;
  for (let sector = Math.floor(start / sectorBytes); sector * sectorBytes < end; sector++) yield sector;
}

/** One of: none, all, the first ones, any: real disks do each of them. */
function survivors(generation: Generation, random: SeededRandom): (sector: number) => boolean {
  const kind = random.pick(["none", "all", "prefix", "any"] as const);
  if (kind === "none") return () => false;
  if (kind === "all") return () => true;
  if (kind === "any") return () => random.oneIn(2);
  const sectors = [...generation.before.keys()].sort((a, b) => a - b);
  const first = sectors[random.below(sectors.length + 1)] ?? Number.POSITIVE_INFINITY;
  return (sector) => sector < first;
}

function tornContent(random: SeededRandom, torn: TornSector): Uint8Array | null {
  return torn === "rubbish" ? random.bytes(sectorBytes) : null;
}
