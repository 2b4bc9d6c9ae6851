import { ClientError } from "./client-error.ts";

/** Counts what runs: refuses what is too much or comes too late, and tells whether there is anything to keep the process alive for. */
export class InFlight {
  readonly #max: number;
  readonly #onBusy: (busy: boolean) => void;
  #count = 0;
  #closed = false;

  /** Throws RangeError. */
  constructor(max: number, onBusy: (busy: boolean) => void) {
    if (!(max >= 1)) throw new RangeError(`inFlightMax ${max} is less than 1`);
    this.#max = max;
    this.#onBusy = onBusy;
  }

  /** Begins something that lasts until `leave`. Throws ClientError. */
  enter(): void {
    if (this.#closed) throw new ClientError("ERR_CLOSED", "The client is closed");
    if (this.#count >= this.#max) throw new ClientError("ERR_OVERLOADED", `${this.#count} calls are running, which is the limit`);
    this.#count += 1;
    if (this.#count === 1) this.#onBusy(true);
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onBusy(false);
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /** Nothing more may begin. */
  close(): void {
    this.#closed = true;
  }
}
