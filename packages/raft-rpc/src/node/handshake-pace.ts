import { DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { Rate } from "../limits.ts";
import type { RpcClock } from "../rpc-clock.ts";
import { OriginBuckets } from "../server/origin-buckets.ts";
import { TurnLine, type TurnTaker } from "../server/turn-line.ts";

/** Those of one origin that wait for a token. */
interface WaitingOrigin {
  /** The last to come is the last. */
  readonly takers: TurnTaker[];
  readonly timer: WheelTimer;
}

/**
 * When handshakes begin. Each costs a server a signature before it knows whether the client goes on, so each takes a token from the bucket of
 * its origin, and gives it back when it came to something: an origin pays for those that did not. Without a token they wait, and the newest
 * is the next, for its client is the least likely to have given up: whoever comes among many that lead nowhere is soon served. Those that
 * may begin do so one in a turn of the event loop, and origins take turns.
 *
 *   enter --token--> line --its turn--> begins --+-- came to something: earn, the token is given back
 *     +-- no token: waits --time, or earn--^     +-- came to nothing
 */
export class HandshakePace {
  readonly #clock: RpcClock;
  readonly #line: TurnLine;
  readonly #wheel: DeadlineWheel;
  readonly #buckets: OriginBuckets;
  /** No origin is empty. */
  readonly #waiting = new Map<string, WaitingOrigin>();

  constructor(clock: RpcClock, rate: Rate) {
    this.#clock = clock;
    this.#line = new TurnLine(clock);
    this.#wheel = new DeadlineWheel(clock);
    this.#buckets = new OriginBuckets(rate);
  }

  /** Its turn comes once. */
  enter(taker: TurnTaker): void {
    const { origin } = taker;
    const waiting = this.#waiting.get(origin);
    if (waiting !== undefined) {
      waiting.takers.push(taker);
    } else if (this.#takeToken(origin)) {
      this.#line.enter(taker);
    } else {
      const first: WaitingOrigin = { takers: [taker], timer: new WheelTimer(() => this.#serve(origin, first)) };
      this.#waiting.set(origin, first);
      this.#serve(origin, first);
    }
  }

  /** Its turn will not come; false if it has come already. The token of one that was in the line is gone. */
  leave(taker: TurnTaker): boolean {
    if (this.#line.leave(taker)) return true;
    const waiting = this.#waiting.get(taker.origin);
    const place = waiting?.takers.lastIndexOf(taker) ?? -1;
    if (waiting === undefined || place < 0) return false;
    waiting.takers.splice(place, 1);
    if (waiting.takers.length === 0) this.#forget(taker.origin, waiting);
    return true;
  }

  /** A handshake of this origin came to something. */
  earn(origin: string): void {
    this.#buckets.find(origin)?.earn(1);
    const waiting = this.#waiting.get(origin);
    if (waiting !== undefined) this.#serve(origin, waiting);
  }

  #serve(origin: string, waiting: WaitingOrigin): void {
    while (waiting.takers.length > 0 && this.#takeToken(origin)) {
      const newest = waiting.takers.pop();
      if (newest !== undefined) this.#line.enter(newest);
    }
    if (waiting.takers.length === 0) return this.#forget(origin, waiting);
    const nowMs = this.#clock.monotonicMs();
    this.#wheel.set(waiting.timer, nowMs + this.#buckets.use(origin, nowMs).nextMs(nowMs));
  }

  #forget(origin: string, { timer }: WaitingOrigin): void {
    this.#wheel.clear(timer);
    this.#waiting.delete(origin);
  }

  #takeToken(origin: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    return this.#buckets.use(origin, nowMs).take(nowMs);
  }
}
