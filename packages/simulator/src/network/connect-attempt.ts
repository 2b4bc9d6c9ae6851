import { type Address, type Connection, NetworkError } from "@raftkv/raft-node";
import type { SimulatedEvent } from "../timeline/event-queue.ts";
import type { Life } from "../timeline/life.ts";
import type { HandshakeAnswer, LinkPair, SimulatedMachine } from "./simulated-machine.ts";

export interface ConnectAttemptOptions {
  readonly machine: SimulatedMachine;
  readonly target: SimulatedMachine;
  readonly address: Address;
  readonly links: LinkPair;
  readonly timeoutMs: number;
  readonly resolve: (connection: Connection) => void;
  readonly reject: (error: NetworkError) => void;
}

/** The first segment is sent again after this, then after twice, four times as long (Linux). */
const retryUsFirst = 1_000_000;

/**
 * One call of `connect`. Segments to a machine that is off or over a cut link are lost and sent again until the time is up.
 *
 *     first segment ─► target: nobody listens ─► refused
 *                              accepted ─► answer ─► resolve, `opened` ─► the other process gets its end
 */
export class ConnectAttempt {
  readonly #life: Life;
  readonly #options: ConnectAttemptOptions;
  readonly #timeoutEvent: SimulatedEvent;
  readonly #unwatchEnd: () => void;
  #answer: HandshakeAnswer | null = null;
  #retryEvent: SimulatedEvent | null = null;
  #isSettled = false;

  constructor(life: Life, options: ConnectAttemptOptions) {
    this.#life = life;
    this.#options = options;
    const { address, timeoutMs } = options;
    this.#timeoutEvent = life.schedule(Math.ceil(timeoutMs * 1_000), "connect time-out", () => {
      this.#giveUp(new NetworkError("timed-out", `Nobody answered at ${address.host}:${address.port} within ${timeoutMs} ms`));
    });
    this.#unwatchEnd = life.onEnd(() => this.#giveUp(null));
  }

  start(): void {
    this.#sendFirst(retryUsFirst);
  }

  #sendFirst(retryUs: number): void {
    if (this.#isSettled) return;
    const { timeline } = this.#life;
    const { there } = this.#options.links;
    timeline.schedule(there.transitUs(0), "connect", () => {
      if (!this.#isSettled && there.carries) this.#reachTarget();
    });
    this.#retryEvent = timeline.schedule(retryUs, "connect again", () => this.#sendFirst(2 * retryUs));
  }

  #reachTarget(): void {
    const { machine, target, address, links } = this.#options;
    // An answer that was lost is given again.
    if (this.#answer?.kind !== "accepted") this.#answer = target.answer({ machine, life: this.#life }, address, links);
    const answer = this.#answer;
    if (answer.kind === "silent") return;
    this.#life.timeline.schedule(links.back.transitUs(0), "connect answer", () => {
      if (!this.#isSettled && links.back.carries) this.#life.enter("connect answer", () => this.#take(answer));
    });
  }

  #take(answer: HandshakeAnswer): void {
    const { address, resolve, reject } = this.#options;
    if (this.#isSettled || answer.kind === "silent") return;
    this.#settle();
    if (answer.kind === "refused") {
      reject(new NetworkError("refused", `Connection to ${address.host}:${address.port} was refused`));
      return;
    }
    answer.open();
    resolve(answer.client);
  }

  #giveUp(error: NetworkError | null): void {
    if (this.#isSettled) return;
    this.#settle();
    if (this.#answer?.kind === "accepted") this.#answer.forget();
    if (error !== null) this.#options.reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#unwatchEnd();
    this.#life.timeline.cancel(this.#timeoutEvent);
    if (this.#retryEvent !== null) this.#life.timeline.cancel(this.#retryEvent);
  }
}
