import type { Random } from "./ports.ts";

/**
 * What the data of an entry of kind `command` looks like: commands that came in the same turn, one after the other. The member where they
 * came from knows them again when they are applied, whichever leader committed them.
 *
 *      0            8                    12           16
 *      +------------+--------------------+------------+---------+------------+---------+- - -
 *      | origin (8) | first sequence (4) | length (4) | command | length (4) | command |
 *      +------------+--------------------+------------+---------+------------+---------+- - -
 *
 * `origin` is random for each life of a process; `sequence` counts its commands modulo 2^32. Numbers are big-endian.
 */
const batchHeadBytes = 12;
const commandHeadBytes = 4;
/** Commands are numbered with it, so it has to stay the same. */
export const batchCommandsMax = 256;
/** Batches lie side by side in slabs: one allocation for many small ones. A command that needs much of a slab lies by itself. */
const slabBytes = 64 * 1024;
const slabCommandBytesMax = slabBytes / 4;

/** Reads the commands of a batch one after the other. Bytes that are no batch are read to their end, too. */
export class BatchReader {
  private readonly batch: Uint8Array;
  private at = batchHeadBytes;
  /** Of the next command, from 0 on. */
  place = 0;

  constructor(batch: Uint8Array) {
    this.batch = batch;
  }

  get isAtEnd(): boolean {
    return this.at >= this.batch.length;
  }

  /** The next command, a view; there must be one. */
  next(): Uint8Array {
    const start = this.at + commandHeadBytes;
    this.at = start + readUint32(this.batch, this.at);
    this.place++;
    return this.batch.subarray(start, this.at);
  }
}

/** The commands of a batch, views. */
export function* commandsOf(batch: Uint8Array): Generator<Uint8Array> {
  const reader = new BatchReader(batch);
  while (!reader.isAtEnd) yield reader.next();
}

/** The command of a batch that has but one, a view. */
export function soleCommand(batch: Uint8Array): Uint8Array {
  return batch.subarray(batchHeadBytes + commandHeadBytes);
}

/** The batch without its first `count` commands, of which it has more. */
export function withoutFirst(batch: Uint8Array, count: number): Uint8Array {
  let at = batchHeadBytes;
  for (let place = 0; place < count; place++) at += commandHeadBytes + readUint32(batch, at);
  const rest = new Uint8Array(batchHeadBytes + batch.length - at);
  rest.set(batch.subarray(0, batchHeadBytes));
  writeUint32(rest, 8, readUint32(batch, 8) + count);
  rest.set(batch.subarray(at), batchHeadBytes);
  return rest;
}

/** Writes the batches of one life of a process, and knows them again. */
export class BatchWriter {
  private readonly origin: Uint8Array;
  private slab = new Uint8Array(slabBytes);
  private slabUsed = 0;
  /** Where the open batch lies: the slab, or memory of its own. */
  private memory = this.slab;
  private start = 0;
  private end = 0;
  /** Commands of the open batch, 0 if none is open. */
  private count = 0;

  constructor(random: Random) {
    this.origin = random.bytes(8);
  }

  /** Whether a command of that size goes into the open batch. */
  hasRoomFor(commandBytes: number): boolean {
    const isShared = this.memory === this.slab && commandBytes <= slabCommandBytesMax;
    return isShared && this.count > 0 && this.count < batchCommandsMax && this.end + commandHeadBytes + commandBytes <= slabBytes;
  }

  /** Begins a batch if none is open. `sequence` follows that of the command before. */
  add(sequence: number, command: Uint8Array): void {
    if (this.count === 0) this.open(sequence, command.length);
    const { memory, end } = this;
    writeUint32(memory, end, command.length);
    memory.set(command, end + commandHeadBytes);
    this.end = end + commandHeadBytes + command.length;
    this.count++;
  }

  /** Ends the open batch. */
  close(): Uint8Array {
    if (this.memory === this.slab) this.slabUsed = this.end;
    this.count = 0;
    return this.memory.subarray(this.start, this.end);
  }

  /** The sequence of the first command of a batch that was written here, or -1 for anybody else's. */
  ownSequence(batch: Uint8Array): number {
    const { origin } = this;
    for (let at = 0; at < origin.length; at++) if (batch[at] !== origin[at]) return -1;
    return readUint32(batch, 8);
  }

  private open(sequence: number, commandBytes: number): void {
    const bytes = batchHeadBytes + commandHeadBytes + commandBytes;
    if (commandBytes > slabCommandBytesMax) {
      this.memory = new Uint8Array(bytes);
      this.start = 0;
    } else {
      if (this.slabUsed + bytes > slabBytes) {
        this.slab = new Uint8Array(slabBytes);
        this.slabUsed = 0;
      }
      this.memory = this.slab;
      this.start = this.slabUsed;
    }
    this.memory.set(this.origin, this.start);
    writeUint32(this.memory, this.start + 8, sequence);
    this.end = this.start + batchHeadBytes;
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
