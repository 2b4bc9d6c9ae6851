import { assert } from "../assert.ts";

/** Fewer would stop the stream while an answer is on its way. */
const LIMIT_MIN = 2;
const LIMIT_START = 4;
/** An append is full-sized from this part of the window's bytes on, but from 16 KiB on in any case. */
const FULL_PART = 256;
const FULL_BYTES_MAX = 16 * 1024;
/** An append is small below this part of a full-sized one. */
const SMALL_PART = 16;

/**
 * How many appends may be on their way to one follower, after what the link made of those before.
 *
 * Where an answer takes long, few appends leave the link idle: CockroachDB went from 4 to 64 for clusters across continents. Where it
 * comes at once, more appends are only smaller ones, and each has its price: in local networks hashicorp/raft went from 128 to 2, since
 * entries that wait for an answer travel together in the next append.
 *
 * ```text
 *   one round = as many answers as the limit ─┬─ it was in the way of a full-sized append ────► doubled
 *                                             ├─ the average append that arrived was small ───► lowered by one
 *                                             └─ else ────────────────────────────────────────► kept
 * ```
 *
 * Less that waits is no reason to widen: it goes with the next append, which is the better for it. One step per round, since the effect
 * of a step shows only in the answers after it; fast up and slowly down, since an idle link costs more than a small append.
 */
export class AdaptiveLimit {
  private readonly messagesMax: number;
  private readonly fullBytes: number;
  private limit: number;
  private roundMessages = 0;
  private roundBytes = 0;
  private wasTooNarrow = false;

  constructor(messagesMax: number, bytesMax: number) {
    this.messagesMax = messagesMax;
    this.fullBytes = Math.min(bytesMax / FULL_PART, FULL_BYTES_MAX);
    this.limit = Math.min(LIMIT_START, messagesMax);
  }

  /** Appends that may be on their way now. */
  get current(): number {
    return this.limit;
  }

  /** As many appends as allowed are on their way, and the next could carry this many bytes. */
  blocked(waitingBytes: number): void {
    if (waitingBytes >= this.fullBytes) this.wasTooNarrow = true;
  }

  /** Another append has arrived. */
  released(bytes: number): void {
    this.roundMessages++;
    this.roundBytes += bytes;
    if (this.roundMessages >= this.limit) this.endRound();
  }

  /** What was on its way is lost; nothing can be learned from it. */
  restartRound(): void {
    this.roundMessages = 0;
    this.roundBytes = 0;
    this.wasTooNarrow = false;
  }

  private endRound(): void {
    if (this.wasTooNarrow) this.limit = Math.min(2 * this.limit, this.messagesMax);
    else if (this.roundBytes / this.roundMessages < this.fullBytes / SMALL_PART) this.limit = Math.max(this.limit - 1, this.limitMin);
    this.restartRound();
    assert(this.limit >= this.limitMin && this.limit <= this.messagesMax, "The limit stays between its ends");
  }

  private get limitMin(): number {
    return Math.min(LIMIT_MIN, this.messagesMax);
  }
}
