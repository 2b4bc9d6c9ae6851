import { LatencyHistogram, type LatencySummary } from "../../load/latency-histogram.ts";
import type { LoadShape } from "../../load/load-shape.ts";
import type { EchoClient, SendMessage } from "../peers/echo-client.ts";

export interface EchoLoad extends LoadShape {
  readonly port: number;
  readonly kind: "unary" | "stream";
  /** Before anything counts. */
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export interface EchoLoadResult {
  /** Within the duration. */
  readonly answers: number;
  /** All that were answered, also before anything counted. */
  readonly calls: number;
  readonly ratePerSecond: number;
  readonly latency: LatencySummary;
  /** The first that went wrong, or null. */
  readonly failure: string | null;
}

/** A closed loop over all clients: each slot sends a message, waits for its echo and sends the next. Resolves when the time is over. */
export function runEchoLoad(clients: readonly EchoClient[], load: EchoLoad): Promise<EchoLoadResult> {
  return new Promise((resolve) => {
    const run = new EchoRun(load, resolve);
    for (const client of clients) {
      for (let slot = 0; slot < load.inFlight; slot++) run.addSlot(load.kind === "unary" ? client.unary() : client.stream());
    }
    run.start();
  });
}

class EchoRun {
  readonly #load: EchoLoad;
  readonly #resolve: (result: EchoLoadResult) => void;
  readonly #slots: SendMessage[] = [];
  readonly #latencies = new LatencyHistogram();
  #countsFromMs = 0;
  #endMs = 0;
  #answers = 0;
  #calls = 0;
  #waiting = 0;
  #failure: string | null = null;

  constructor(load: EchoLoad, resolve: (result: EchoLoadResult) => void) {
    this.#load = load;
    this.#resolve = resolve;
  }

  addSlot(send: SendMessage): void {
    this.#slots.push(send);
  }

  start(): void {
    const { warmUpMs, durationMs } = this.#load;
    this.#countsFromMs = performance.now() + warmUpMs;
    this.#endMs = this.#countsFromMs + durationMs;
    this.#waiting = this.#slots.length;
    for (const send of this.#slots) this.#loop(send);
  }

  /** One closure for a slot, none for a message. */
  #loop(send: SendMessage): void {
    let sentMs = performance.now();
    const done = (failure: string | null): void => {
      const nowMs = performance.now();
      this.#calls++;
      if (failure !== null) this.#failure ??= failure;
      else if (nowMs >= this.#countsFromMs && nowMs <= this.#endMs) {
        this.#answers++;
        this.#latencies.record(nowMs - sentMs);
      }
      if (nowMs >= this.#endMs || this.#failure !== null) return this.#slotEnded();
      sentMs = nowMs;
      send(done);
    };
    send(done);
  }

  #slotEnded(): void {
    if (--this.#waiting > 0) return;
    this.#resolve({
      answers: this.#answers,
      calls: this.#calls,
      ratePerSecond: (1000 * this.#answers) / this.#load.durationMs,
      latency: this.#latencies.summary(),
      failure: this.#failure,
    });
  }
}
