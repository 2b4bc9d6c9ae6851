import {
  emptyDataBucket,
  idleFrameBucket,
  idleFramesPerUsefulFrame,
  paddingBytesMax,
  priorityBucket,
  refusalBucket,
  resetBucket,
  settingsBucket,
} from "../limits.ts";
import { ConnectionError, ErrorCode } from "./frame.ts";
import { TokenBucket } from "./token-bucket.ts";

function flood(what: string): ConnectionError {
  return new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, what);
}

/** Measures what a peer may do, but not without end (RFC 9113 10.5). Each method throws ENHANCE_YOUR_CALM when it is too much. */
export class FloodGuard {
  readonly #resets: TokenBucket;
  readonly #refusals: TokenBucket;
  readonly #settings: TokenBucket;
  readonly #emptyData: TokenBucket;
  readonly #priority: TokenBucket;
  readonly #idleFrames: TokenBucket;
  #paddingBytes = 0;

  constructor(nowMs: number) {
    this.#resets = new TokenBucket({ ...resetBucket, nowMs });
    this.#refusals = new TokenBucket({ ...refusalBucket, nowMs });
    this.#settings = new TokenBucket({ ...settingsBucket, nowMs });
    this.#emptyData = new TokenBucket({ ...emptyDataBucket, nowMs });
    this.#priority = new TokenBucket({ ...priorityBucket, nowMs });
    this.#idleFrames = new TokenBucket({ ...idleFrameBucket, nowMs });
  }

  /** RST_STREAM from the peer, or one that an error of the peer makes us send. */
  reset(nowMs: number): void {
    if (!this.#resets.take(nowMs)) throw flood("Too many streams are reset");
  }

  refusal(nowMs: number): void {
    if (!this.#refusals.take(nowMs)) throw flood("Too many streams are opened above the limit");
  }

  settings(nowMs: number): void {
    if (!this.#settings.take(nowMs)) throw flood("Too many SETTINGS");
  }

  emptyData(nowMs: number): void {
    if (!this.#emptyData.take(nowMs)) throw flood("Too many empty DATA frames");
  }

  priority(nowMs: number): void {
    if (!this.#priority.take(nowMs)) throw flood("Too many PRIORITY or unknown frames");
  }

  /** A frame that carries no request data. */
  idleFrame(nowMs: number): void {
    if (!this.#idleFrames.take(nowMs)) throw flood("Too many frames without requests");
  }

  usefulFrame(): void {
    this.#idleFrames.earn(idleFramesPerUsefulFrame);
  }

  /** Padding is allowed up to the data that comes with it, and a fixed amount beyond. */
  padding(paddingBytes: number, dataBytes: number): void {
    this.#paddingBytes = Math.max(0, this.#paddingBytes + paddingBytes - dataBytes);
    if (this.#paddingBytes > paddingBytesMax) throw flood("Too much padding");
  }
}
