import { controlFrameUnits, turnUnitsMax } from "../limits.ts";
import type { TurnLine, TurnTaker } from "./turn-line.ts";

/** Each costs about what a control frame does. */
const streamsOfTurn = turnUnitsMax / controlFrameUnits;

export interface StreamsEndingOptions<S> {
  /** `originOf` its client. */
  readonly origin: string;
  readonly line: TurnLine;
  /** `end` takes them out. */
  readonly streams: { values(): Iterable<S> };
  readonly end: (stream: S) => void;
  /** All have ended; may be told at once. */
  readonly onEnded: () => void;
}

/** Ends the streams of a connection that is over, a share of a turn at a time: as many as a client may have open are many. */
export class StreamsEnding<S> implements TurnTaker {
  readonly origin: string;
  readonly #options: StreamsEndingOptions<S>;

  constructor(options: StreamsEndingOptions<S>) {
    this.origin = options.origin;
    this.#options = options;
  }

  takeTurn(): void {
    const { line, streams, end, onEnded } = this.#options;
    let left = streamsOfTurn;
    for (const stream of streams.values()) {
      if (left === 0) return line.enter(this);
      left--;
      end(stream);
    }
    onEnded();
  }
}
