import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { RpcLimits } from "../limits.ts";
import { FloodError } from "./flood-error.ts";

export interface HeaderAssemblerOptions {
  readonly wheel: DeadlineWheel;
  readonly limits: RpcLimits;
  /** The block was not complete within `headerBlockTimeoutMs`. */
  readonly onTimeout: () => void;
}

/**
 * Puts header blocks together that go on in CONTINUATION frames: one at a time, for nothing else may come in between (RFC 9113 4.3).
 *
 *   HEADERS --begin--> [fragments] --append*--> complete --> the whole block
 */
export class HeaderAssembler {
  /** Of the block that is not complete; 0 if there is none. */
  streamId = 0;
  /** END_STREAM stands on the HEADERS frame, and counts when the block is complete. */
  endStream = false;
  readonly #wheel: DeadlineWheel;
  readonly #limits: RpcLimits;
  readonly #timer: WheelTimer;
  #fragments: Uint8Array[] = [];
  #bytes = 0;

  constructor(options: HeaderAssemblerOptions) {
    this.#wheel = options.wheel;
    this.#limits = options.limits;
    this.#timer = new WheelTimer(options.onTimeout);
  }

  begin(streamId: number, endStream: boolean, first: Uint8Array, nowMs: number): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.#take(first);
    this.#wheel.set(this.#timer, nowMs + this.#limits.headerBlockTimeoutMs);
  }

  /** Throws FloodError above the limits. A fragment without bytes is allowed, and counts as any (CVE-2024-28182). */
  append(fragment: Uint8Array): void {
    const { continuationsMax } = this.#limits;
    if (this.#fragments.length > continuationsMax) {
      throw new FloodError("headerBlock", `More than ${continuationsMax} CONTINUATION frames`);
    }
    this.#take(fragment);
  }

  /** The whole block; none is open afterwards. */
  complete(): Uint8Array {
    const block = new Uint8Array(this.#bytes);
    let at = 0;
    for (const fragment of this.#fragments) {
      block.set(fragment, at);
      at += fragment.length;
    }
    this.stop();
    return block;
  }

  /** Forgets the block that is open. */
  stop(): void {
    this.streamId = 0;
    this.#fragments = [];
    this.#bytes = 0;
    this.#wheel.clear(this.#timer);
  }

  #take(fragment: Uint8Array): void {
    const { headerBlockBytesMax } = this.#limits;
    this.#bytes += fragment.length;
    if (this.#bytes > headerBlockBytesMax) {
      throw new FloodError("headerBlock", `Header block is above ${headerBlockBytesMax} bytes`);
    }
    // A copy: a small fragment must not keep a large chunk.
    this.#fragments.push(fragment.slice());
  }
}
