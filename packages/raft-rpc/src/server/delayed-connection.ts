import type { ByteStream, ByteStreamHandlers } from "../byte-stream.ts";
import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { TurnLine, TurnTaker } from "./turn-line.ts";

export interface DelayedConnectionOptions {
  /** `originOf` its client. */
  readonly origin: string;
  readonly stream: ByteStream;
  readonly wheel: DeadlineWheel;
  readonly line: TurnLine;
  /** On the wheel's clock. */
  readonly untilMs: number;
  /** It may begin: sets handlers of its own. */
  readonly onBegin: () => void;
  /** It broke while it waited. */
  readonly onClosed: () => void;
}

/**
 * A connection of an origin that behaved badly. Nothing of it is read until its time has come; then it takes a turn of the line, so that
 * any number of them, who came together, begin one after another.
 *
 *   accepted --> waits, not read --untilMs--> in the line --its turn--> begins
 */
export class DelayedConnection implements ByteStreamHandlers, TurnTaker {
  readonly origin: string;
  readonly #options: DelayedConnectionOptions;
  readonly #timer: WheelTimer;

  constructor(options: DelayedConnectionOptions) {
    const { stream, wheel, line, untilMs } = options;
    this.origin = options.origin;
    this.#options = options;
    this.#timer = new WheelTimer(() => line.enter(this));
    stream.pause();
    stream.setHandlers(this);
    wheel.set(this.#timer, untilMs);
  }

  takeTurn(): void {
    this.#options.onBegin();
    this.#options.stream.resume();
  }

  destroy(): void {
    this.#leave();
    this.#options.stream.destroy();
  }

  onData(): void {
    // It is paused.
  }

  onDrain(): void {
    // Nothing was written.
  }

  onClose(): void {
    this.#leave();
    this.#options.onClosed();
  }

  #leave(): void {
    this.#options.wheel.clear(this.#timer);
    this.#options.line.leave(this);
  }
}
