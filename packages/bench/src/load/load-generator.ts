import type { KeySource } from "./key-source.ts";
import { LatencyHistogram, type LatencySummary } from "./latency-histogram.ts";
import { type Caller, type RequestSlot, type SlotDone, streamSlot, unarySlot } from "./request-slot.ts";
import type { Workload } from "./workload.ts";
import type { WriteLedger } from "./write-ledger.ts";

export interface LoadOptions {
  readonly channels: readonly Caller[];
  /** Requests that are always on their way on each channel. */
  readonly inFlight: number;
  readonly workload: Workload;
  readonly keys: KeySource;
  /** The run ends then, or when `keys` does. Infinity: only then. */
  readonly durationMs: number;
  /** Notes puts; null for reads. */
  readonly ledger: WriteLedger | null;
  readonly signal: AbortSignal;
}

export interface LoadResult extends LatencySummary {
  /** Good answers within the duration. */
  readonly answers: number;
  /** Over which they came. */
  readonly durationMs: number;
  readonly ratePerSecond: number;
  /** Longest time without a good answer, from the start to the end. */
  readonly longestGapMs: number;
  /** How often each error came, by its sentence. */
  readonly errors: ReadonlyMap<string, number>;
}

/** After so many errors a run is given up. */
const errorsMax = 1000;
/** How long answers are waited for when nothing more is sent. */
const drainMs = 15_000;

/**
 * A closed loop: each slot sends a request, waits for the answer, and sends the next, until time or keys run out.
 *
 *   channel 1: slot 1 .. slot n      answer ─► latency, error count ─► next request, in the same turn
 *   channel 2: slot 1 .. slot n
 *
 * Rejects with the reason of the signal when it is aborted.
 */
export function generateLoad(options: LoadOptions): Promise<LoadResult> {
  return new Promise((resolve, reject) => new LoadRun(options, resolve, reject).start());
}

class LoadRun {
  readonly options: LoadOptions;
  readonly #resolve: (result: LoadResult) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #histogram = new LatencyHistogram();
  readonly #errors = new Map<string, number>();
  #startMs = 0;
  #endMs = 0;
  #lastAnswerMs = 0;
  #longestGapMs = 0;
  #answers = 0;
  #errorCount = 0;
  #slots = 0;
  #stopped = false;
  #drainTimer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#settle(() => this.#reject(this.options.signal.reason));

  constructor(options: LoadOptions, resolve: (result: LoadResult) => void, reject: (reason: unknown) => void) {
    this.options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    const { channels, inFlight, durationMs, signal } = this.options;
    if (signal.aborted) return this.#onAbort();
    signal.addEventListener("abort", this.#onAbort);
    this.#startMs = performance.now();
    this.#endMs = this.#startMs + durationMs;
    this.#lastAnswerMs = this.#startMs;
    if (durationMs !== Number.POSITIVE_INFINITY) this.#drainTimer = setTimeout(() => this.#giveUp(), durationMs + drainMs);
    this.#slots = channels.length * inFlight;
    for (const channel of channels) for (let slot = 0; slot < inFlight; slot++) new Slot(this, channel).send(this.#startMs);
  }

  succeeded(slot: Slot, message: Uint8Array): void {
    const nowMs = performance.now();
    if (this.#stopped) return;
    const { workload, ledger } = this.options;
    const fault = workload.faultOf(message);
    if (fault !== null) return this.failed(slot, fault);
    ledger?.noteAcknowledged(slot.key);
    if (nowMs <= this.#endMs) {
      this.#histogram.record(nowMs - slot.sentMs);
      this.#answers++;
      this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastAnswerMs);
      this.#lastAnswerMs = nowMs;
    }
    slot.send(nowMs);
  }

  failed(slot: Slot, sentence: string): void {
    if (this.#stopped) return;
    this.#errors.set(sentence, (this.#errors.get(sentence) ?? 0) + 1);
    if (++this.#errorCount >= errorsMax) return this.#finish();
    // In a later turn: a call that fails at once must not recurse.
    setImmediate(() => slot.send(performance.now()));
  }

  /** The next key for a slot, or -1: it has ended. */
  nextKey(nowMs: number): number {
    if (this.#stopped) return -1;
    const key = nowMs < this.#endMs ? this.options.keys.next() : -1;
    if (key >= 0) this.options.ledger?.noteSent(key);
    else if (--this.#slots === 0) this.#finish();
    return key;
  }

  #giveUp(): void {
    this.#errors.set(`no answer within ${drainMs / 1000} s after the end`, this.#slots);
    this.#finish();
  }

  #finish(): void {
    this.#settle(() => {
      // Without a duration, the time that the keys took.
      const endMs = this.#endMs === Number.POSITIVE_INFINITY ? this.#lastAnswerMs : this.#endMs;
      const durationMs = Math.max(endMs - this.#startMs, 1e-3);
      // What was still on its way at the end counts, too.
      const longestGapMs = Math.max(this.#longestGapMs, endMs - this.#lastAnswerMs);
      this.#resolve({
        answers: this.#answers,
        durationMs,
        ratePerSecond: (this.#answers / durationMs) * 1000,
        longestGapMs,
        errors: this.#errors,
        ...this.#histogram.summary(),
      });
    });
  }

  #settle(end: () => void): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#drainTimer);
    this.options.signal.removeEventListener("abort", this.#onAbort);
    end();
  }
}

/** One request after the other on one channel. */
class Slot {
  key = -1;
  sentMs = 0;
  readonly #run: LoadRun;
  readonly #requests: RequestSlot;

  constructor(run: LoadRun, channel: Caller) {
    const { kind, path } = run.options.workload;
    const done: SlotDone = (error, answer) => {
      if (answer !== null) run.succeeded(this, answer);
      else run.failed(this, error ?? "no message");
    };
    this.#run = run;
    this.#requests = kind === "unary" ? unarySlot(channel, path, done) : streamSlot(channel, path, done);
  }

  send(nowMs: number): void {
    this.key = this.#run.nextKey(nowMs);
    if (this.key < 0) return this.#requests.end();
    this.sentMs = nowMs;
    this.#requests.send(this.#run.options.workload.request(this.key));
  }
}
