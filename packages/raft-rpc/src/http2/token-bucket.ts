import type { Rate } from "../limits.ts";

/** Allows a burst and then a rate: the measure of all floods. Full at the start. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #lastMs: number;

  constructor({ burst, perSecond }: Rate, nowMs: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#tokens = burst;
    this.#lastMs = nowMs;
  }

  /** Takes one token; false if there is none: the flood. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes one token even if there is none, until so many are owed. */
  charge(nowMs: number, owedMax: number): void {
    this.#refill(nowMs);
    this.#tokens = Math.max(-owedMax, this.#tokens - 1);
  }

  /** Until none is owed. */
  owedMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }

  /** Until there is one to take. */
  nextMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs;
  }

  /** Gives back what useful work earned. */
  earn(count: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + count);
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#lastMs) * this.#perMs);
    this.#lastMs = nowMs;
  }
}
