import { idleFramesPerUsefulFrame, type RpcLimits } from "../limits.ts";
import { FloodError } from "./flood-error.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Measures what a peer may do, but not without end (RFC 9113 10.5). Each method throws FloodError when it is too much. */
export class FloodGuard {
  readonly #resets: TokenBucket;
  readonly #refusals: TokenBucket;
  readonly #settings: TokenBucket;
  readonly #emptyData: TokenBucket;
  readonly #priority: TokenBucket;
  readonly #idleFrames: TokenBucket;
  readonly #paddingBytesMax: number;
  #paddingBytes = 0;

  constructor(limits: RpcLimits, nowMs: number) {
    this.#resets = new TokenBucket(limits.resetRate, nowMs);
    this.#refusals = new TokenBucket(limits.refusalRate, nowMs);
    this.#settings = new TokenBucket(limits.settingsRate, nowMs);
    this.#emptyData = new TokenBucket(limits.emptyDataRate, nowMs);
    this.#priority = new TokenBucket(limits.priorityRate, nowMs);
    this.#idleFrames = new TokenBucket(limits.idleFrameRate, nowMs);
    this.#paddingBytesMax = limits.paddingBytesMax;
  }

  /** RST_STREAM from the peer, or one that an error of the peer makes us send. */
  reset(nowMs: number): void {
    if (!this.#resets.take(nowMs)) throw new FloodError("resetFlood", "Too many streams are reset");
  }

  refusal(nowMs: number): void {
    if (!this.#refusals.take(nowMs)) throw new FloodError("refusalFlood", "Too many streams are opened above the limit");
  }

  settings(nowMs: number): void {
    if (!this.#settings.take(nowMs)) throw new FloodError("settingsFlood", "Too many SETTINGS");
  }

  emptyData(nowMs: number): void {
    if (!this.#emptyData.take(nowMs)) throw new FloodError("emptyDataFlood", "Too many empty DATA frames");
  }

  priority(nowMs: number): void {
    if (!this.#priority.take(nowMs)) throw new FloodError("priorityFlood", "Too many PRIORITY or unknown frames");
  }

  /** A frame that carries no request data. */
  idleFrame(nowMs: number): void {
    if (!this.#idleFrames.take(nowMs)) throw new FloodError("idleFrameFlood", "Too many frames without requests");
  }

  usefulFrame(): void {
    this.#idleFrames.earn(idleFramesPerUsefulFrame);
  }

  /** Padding is allowed up to the data that comes with it, and a fixed amount beyond. */
  padding(paddingBytes: number, dataBytes: number): void {
    this.#paddingBytes = Math.max(0, this.#paddingBytes + paddingBytes - dataBytes);
    if (this.#paddingBytes > this.#paddingBytesMax) throw new FloodError("paddingFlood", "Too much padding");
  }
}
