import { DiskError, type DiskFile } from "@raftkv/raft-node";
import type { Life } from "../timeline/life.ts";
import type { SeededRandom } from "../timeline/seeded-random.ts";
import type { FileImage } from "./file-image.ts";
import type { DiskOperation, DiskWork, SimulatedDisk } from "./simulated-disk.ts";

/**
 * A file that one life of a process has open. A write happens at the instant it resolves, durable or not: until then a crash leaves any
 * part of its beginning, a loss of power any sectors of that, and a sync that began before does not cover it.
 */
export class SimulatedFile implements DiskFile {
  readonly #life: Life;
  readonly #disk: SimulatedDisk;
  readonly #image: FileImage;
  readonly #path: string;
  readonly #mode: "create" | "read" | "write";
  #isOpen = true;

  constructor(life: Life, disk: SimulatedDisk, image: FileImage, path: string, mode: "create" | "read" | "write") {
    this.#life = life;
    this.#disk = disk;
    this.#image = image;
    this.#path = path;
    this.#mode = mode;
  }

  sizeBytes(): Promise<number> {
    return this.#perform("read", { apply: () => this.#image.sizeBytes });
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#perform("read", { apply: () => this.#image.read(offset, length) });
  }

  write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    return this.#change("write", {
      apply: () => this.#write(offset, chunks),
      interrupt: (random) => this.#writePart(offset, chunks, random),
      fail: (random) => this.#writePart(offset, chunks, random),
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#change("truncate", { apply: () => this.#image.truncate(sizeBytes) });
  }

  async sync(): Promise<void> {
    if (!this.#isOpen || this.#life.isOver) return this.#perform("sync", { apply: () => {} });
    const token = this.#image.beginSync();
    return this.#perform("sync", { apply: () => this.#image.endSync(token), fail: () => this.#image.failSync(token) });
  }

  writeDurably(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    const end = offset + lengthOf(chunks);
    return this.#change("write durably", {
      apply: () => {
        this.#write(offset, chunks);
        this.#image.syncRange(offset, end);
      },
      // Within its write or, as often, within its sync.
      interrupt: (random) => (random.oneIn(2) ? this.#writePart(offset, chunks, random) : this.#put(offset, chunks)),
      fail: (random, operation) => {
        if (operation === "write") {
          this.#writePart(offset, chunks, random);
        } else {
          this.#put(offset, chunks);
          this.#image.failSyncRange(offset, end);
        }
      },
    });
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    return this.#disk.perform(this.#life, "close", this.#path, { apply: () => {} });
  }

  #write(offset: number, chunks: readonly Uint8Array[]): void {
    const growthBytes = Math.max(0, offset + lengthOf(chunks) - this.#image.sizeBytes);
    if (growthBytes > 0 && this.#disk.usedBytes + growthBytes > this.#disk.capacityBytes) {
      throw new DiskError("no-space", this.#path, `Cannot write ${this.#path}: the disk of ${this.#disk.capacityBytes} bytes is full`);
    }
    this.#put(offset, chunks);
  }

  #put(offset: number, chunks: readonly Uint8Array[]): void {
    let position = offset;
    for (const chunk of chunks) {
      this.#image.write(position, chunk);
      this.#life.timeline.trace.addBytes(chunk);
      position += chunk.length;
    }
  }

  #writePart(offset: number, chunks: readonly Uint8Array[], random: SeededRandom): void {
    let left = random.below(lengthOf(chunks) + 1);
    let position = offset;
    for (const chunk of chunks) {
      const part = chunk.subarray(0, left);
      this.#image.write(position, part);
      position += part.length;
      left -= part.length;
    }
  }

  #change<T>(operation: DiskOperation, work: DiskWork<T>): Promise<T> {
    if (this.#mode === "read") return Promise.reject(new DiskError("io", this.#path, `${this.#path} is open for reading only`));
    return this.#perform(operation, work);
  }

  #perform<T>(operation: DiskOperation, work: DiskWork<T>): Promise<T> {
    if (!this.#isOpen) return Promise.reject(new DiskError("io", this.#path, `${this.#path} is closed`));
    return this.#disk.perform(this.#life, operation, this.#path, work);
  }
}

function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
