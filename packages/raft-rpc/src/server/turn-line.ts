import type { RpcClock } from "../rpc-clock.ts";

/** Someone whose work does not fit into one turn. */
export interface TurnTaker {
  /** Does a part of what waits; enters again if some is left. */
  takeTurn(): void;
}

/**
 * The line of those who have more to do than their share of a turn of the event loop. One of them is served in each turn, beside all that
 * comes in it: so many who want everything delay the others by one share together, and not by one each.
 *
 *   turn  [ what came | share of A ] [ what came | share of B ] [ what came | share of A ] ...
 */
export class TurnLine {
  readonly #clock: RpcClock;
  readonly #waiting = new Set<TurnTaker>();
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

  /** Takes a place at the end of the line, if it has none. */
  enter(taker: TurnTaker): void {
    this.#waiting.add(taker);
    this.#scheduleEnd();
  }

  leave(taker: TurnTaker): void {
    this.#waiting.delete(taker);
  }

  #scheduleEnd(): void {
    if (this.#endScheduled) return;
    this.#endScheduled = true;
    this.#clock.atEndOfTurn(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#endScheduled = false;
    this.#turn++;
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#waiting.delete(first);
    // Before the work: what it throws must not stop the line.
    if (this.#waiting.size > 0) this.#scheduleEnd();
    first.takeTurn();
  };
}
