import { continuationsMax, headerBlockBytesMax } from "../limits.ts";
import { ConnectionError, ErrorCode } from "./frame.ts";

/** A header block that goes on in CONTINUATION frames; nothing else may come in between (RFC 9113 4.3). */
export class HeaderFragments {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly #fragments: Uint8Array[] = [];
  #bytes = 0;

  constructor(streamId: number, endStream: boolean, first: Uint8Array) {
    this.streamId = streamId;
    this.endStream = endStream;
    this.#take(first);
  }

  /** Throws ENHANCE_YOUR_CALM above the limits. */
  append(fragment: Uint8Array): void {
    if (this.#fragments.length > continuationsMax || fragment.length === 0) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `More than ${continuationsMax} or an empty CONTINUATION`);
    }
    this.#take(fragment);
  }

  join(): Uint8Array {
    const block = new Uint8Array(this.#bytes);
    let at = 0;
    for (const fragment of this.#fragments) {
      block.set(fragment, at);
      at += fragment.length;
    }
    return block;
  }

  #take(fragment: Uint8Array): void {
    this.#bytes += fragment.length;
    if (this.#bytes > headerBlockBytesMax) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `Header block is above ${headerBlockBytesMax} bytes`);
    }
    // A copy: a small fragment must not keep a large chunk.
    this.#fragments.push(fragment.slice());
  }
}
