import type { RpcClock } from "../rpc-clock.ts";

/** Someone whose work does not fit into one turn. */
export interface TurnTaker {
  /** Who is behind it (`originOf`): those of one origin share its turns. */
  readonly origin: string;
  /** Does a part of what waits; enters again if some is left. */
  takeTurn(): void;
}

/**
 * The line of those who have more to do than their share of a turn of the event loop. One of them is served in each turn, beside all that
 * comes in it: so many who want everything delay the others by one share together, and not by one each. Origins take turns, and within an
 * origin its connections: a hundred of one address leave somebody else every other turn.
 *
 *   turn  [ what came | share of A1 ] [ what came | share of B1 ] [ what came | share of A2 ] ...
 */
export class TurnLine {
  readonly #clock: RpcClock;
  /** Both in the order in which they are served. No origin is empty. */
  readonly #waiting = new Map<string, Set<TurnTaker>>();
  #turn = 0;
  #endScheduled = false;

  constructor(clock: RpcClock) {
    this.#clock = clock;
  }

  /** The number of this turn: shares are counted by it. */
  current(): number {
    this.#scheduleEnd();
    return this.#turn;
  }

  /** Takes a place at the end of the line of its origin, if it has none. */
  enter(taker: TurnTaker): void {
    const takers = this.#waiting.get(taker.origin);
    if (takers === undefined) this.#waiting.set(taker.origin, new Set([taker]));
    else takers.add(taker);
    this.#scheduleEnd();
  }

  /** Gives up its place; false if it has none. */
  leave(taker: TurnTaker): boolean {
    const takers = this.#waiting.get(taker.origin);
    if (takers?.delete(taker) !== true) return false;
    if (takers.size === 0) this.#waiting.delete(taker.origin);
    return true;
  }

  #scheduleEnd(): void {
    if (this.#endScheduled) return;
    this.#endScheduled = true;
    this.#clock.atEndOfTurn(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#endScheduled = false;
    this.#turn++;
    // Of most turns: to look for the first of nobody would cost more than all else here.
    if (this.#waiting.size === 0) return;
    const first = this.#takeFirst();
    if (first === null) return;
    // Before the work: what it throws must not stop the line.
    if (this.#waiting.size > 0) this.#scheduleEnd();
    first.takeTurn();
  };

  /** The next of the origin whose turn it is, which goes to the end. */
  #takeFirst(): TurnTaker | null {
    const [next] = this.#waiting;
    if (next === undefined) return null;
    const [origin, takers] = next;
    this.#waiting.delete(origin);
    const [taker] = takers;
    if (taker === undefined) return null;
    takers.delete(taker);
    if (takers.size > 0) this.#waiting.set(origin, takers);
    return taker;
  }
}
