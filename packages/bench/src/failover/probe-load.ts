import { decodePutResponse } from "@raftkv/api";
import type { ClientCall, RpcError } from "@raftkv/raft-rpc";
import type { UnaryCaller } from "../load/request-slot.ts";
import { putPath } from "../load/workload.ts";
import type { ProbeWrites } from "./probe-writes.ts";
import type { Acknowledgement } from "./trial-timeline.ts";

/** A put goes out so often through each survivor. */
export const probeEveryMs = 4;
/** Of each put: long enough for one that a member holds until there is a leader, short enough for one that was lost with the old leader. */
const probeTimeoutMs = 5000;

export interface ProbeLoadOptions {
  /** One to each survivor, connected. */
  readonly channels: readonly UnaryCaller[];
  /** Names the puts and notes what became of them. */
  readonly writes: ProbeWrites;
  readonly onAcknowledged: (acknowledgement: Acknowledgement) => void;
}

/**
 * Puts through the survivors in turns, whatever became of the puts before: so a put that a member holds, or that was lost, does not keep the next
 * one from being the first to succeed, and no time-out of this side shows in what is measured.
 */
export class ProbeLoad {
  readonly #options: ProbeLoadOptions;
  readonly #calls = new Map<number, ClientCall>();
  readonly #errors = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  constructor(options: ProbeLoadOptions) {
    this.#options = options;
  }

  /** How often each error came, by its sentence. */
  get errors(): ReadonlyMap<string, number> {
    return this.#errors;
  }

  start(): void {
    this.#timer = setInterval(() => this.#send(), probeEveryMs / this.#options.channels.length);
  }

  /** Sends nothing more, and gives up what is still on its way: whether it was written is not known then. */
  stop(): void {
    clearInterval(this.#timer);
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.cancel();
  }

  #send(): void {
    const { channels, writes } = this.#options;
    const survivor = this.#turn++ % channels.length;
    const number = writes.next();
    const sentMs = performance.now();
    const call = channels[survivor]?.request(
      putPath,
      writes.request(number),
      (error, message) => {
        // One that was given up is not among the calls any more.
        if (!this.#calls.delete(number)) return;
        if (message === null) this.#failed(error);
        else
          this.#succeeded(number, {
            survivor,
            sentMs,
            acknowledgedMs: performance.now(),
            term: decodePutResponse(message).header.raftTerm,
          });
      },
      { timeoutMs: probeTimeoutMs },
    );
    if (call !== undefined) this.#calls.set(number, call);
  }

  #succeeded(number: number, acknowledgement: Acknowledgement): void {
    this.#options.writes.noteAcknowledged(number);
    this.#options.onAcknowledged(acknowledgement);
  }

  #failed(error: RpcError | null): void {
    const sentence = error === null ? "no message" : `${error.codeName} ${error.message}`;
    this.#errors.set(sentence, (this.#errors.get(sentence) ?? 0) + 1);
  }
}
