import { randomBytes } from "node:crypto";

const poolBytes = 16 * 1024 * 1024;
/** How far apart two views begin: the next one is another, and all over again only after a while. */
const strideBytes = 72;
const pieceBytes = 64 * 1024;

/** Bytes that nothing compresses, as encrypted or packed values are: drawn once, handed out again and again. */
export class RandomBytes {
  readonly #pool: Uint8Array = randomBytes(poolBytes);
  #offset = 0;

  /** A view of `count` bytes, at most 16 MiB, that nobody may write into. */
  take(count: number): Uint8Array {
    if (this.#offset + count > poolBytes) this.#offset = 0;
    const bytes = this.#pool.subarray(this.#offset, this.#offset + count);
    this.#offset += strideBytes;
    return bytes;
  }

  /** `totalBytes` in pieces, as a state machine gives its state. */
  async *stream(totalBytes: number): AsyncGenerator<Uint8Array> {
    for (let left = totalBytes; left > 0; left -= pieceBytes) yield this.take(Math.min(left, pieceBytes));
  }
}
