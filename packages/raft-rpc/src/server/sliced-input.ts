import type { ByteStream } from "../byte-stream.ts";
import { turnUnitsMax } from "../limits.ts";
import type { TurnLine, TurnTaker } from "./turn-line.ts";

export interface SlicedInputOptions {
  /** `originOf` its client. */
  readonly origin: string;
  readonly line: TurnLine;
  /** Is paused while bytes of it wait. */
  readonly stream: ByteStream;
  /** Handles frames of `bytes` from `from` on, until `spend` returns false or they end; returns where it stopped. */
  readonly read: (bytes: Uint8Array, from: number) => number;
  /** A share of what waited was handled. */
  readonly onTurnTaken: () => void;
}

/**
 * What a connection received, cut into shares of a turn: a client that sends as fast as it can is served as fast as the others leave time
 * for it, and delays them by no more than one share.
 *
 *   receive --> handled, up to the share of this turn --> the rest waits in the line --> handled, a share at a time
 */
export class SlicedInput implements TurnTaker {
  readonly origin: string;
  readonly #options: SlicedInputOptions;
  /** The first of them may be handled in part: it is replaced by its rest. */
  readonly #waiting: Uint8Array[] = [];
  #turn = -1;
  #unitsLeft = 0;
  #isBlocked = false;

  constructor(options: SlicedInputOptions) {
    this.origin = options.origin;
    this.#options = options;
  }

  /** Bytes that were received and not handled. */
  get waitingBytes(): number {
    let byteCount = 0;
    for (const { length } of this.#waiting) byteCount += length;
    return byteCount;
  }

  receive(bytes: Uint8Array, from: number): void {
    const isFirst = this.#waiting.length === 0;
    const next = isFirst && this.#hasShare() ? this.#options.read(bytes, from) : from;
    if (next === bytes.length) return;
    this.#waiting.push(bytes.subarray(next));
    if (!isFirst || this.#isBlocked) return;
    this.#options.stream.pause();
    this.#options.line.enter(this);
  }

  /** Takes from the share of this turn, in which a unit is about what a small frame costs. False: no more now. */
  spend(units: number): boolean {
    this.#unitsLeft -= units;
    return this.#unitsLeft > 0 && !this.#isBlocked;
  }

  takeTurn(): void {
    this.#handleShare();
    this.#options.onTurnTaken();
  }

  /** Handles nothing until `unblock`. */
  block(): void {
    if (this.#isBlocked) return;
    this.#isBlocked = true;
    this.#options.line.leave(this);
    this.#options.stream.pause();
  }

  unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    if (this.#waiting.length > 0) this.#options.line.enter(this);
    else this.#options.stream.resume();
  }

  /** What waits is dropped. */
  stop(): void {
    this.#waiting.length = 0;
    this.#options.line.leave(this);
  }

  #handleShare(): void {
    while (this.#hasShare()) {
      const piece = this.#waiting.shift();
      if (piece === undefined) return this.#options.stream.resume();
      const next = this.#options.read(piece, 0);
      if (next < piece.length) this.#waiting.unshift(piece.subarray(next));
    }
    if (!this.#isBlocked) this.#options.line.enter(this);
  }

  #hasShare(): boolean {
    if (this.#isBlocked) return false;
    const turn = this.#options.line.current();
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#unitsLeft = turnUnitsMax;
    }
    return this.#unitsLeft > 0;
  }
}
