import type { Connection, ConnectionHandlers } from "@raftkv/raft-node";
import type { Life } from "../timeline/life.ts";
import type { BytePipe, Segment } from "./byte-pipe.ts";
import { Fifo } from "./fifo.ts";

export interface SimulatedConnectionOptions {
  readonly remoteAddress: string;
  /** Name of the machine at the other end. */
  readonly remoteMachine: string;
  readonly out: BytePipe;
  readonly in: BytePipe;
  /** At the accepting end: gives the connection to the process, when the handshake is complete. */
  readonly onOpened: (() => void) | null;
  /** The kernel may forget this end. */
  readonly onGone: () => void;
}

/** The error Node gives for a connection that failed, with its code. */
function connectionError(code: "ECONNRESET" | "ETIMEDOUT", sentence: string): Error {
  return Object.assign(new Error(sentence), { code });
}

/**
 * One end of a connection: the socket in the kernel and its half in the process. Ends like a Node socket that does not allow half
 * open: when the other end has ended, this one ends by itself once what it wrote has left.
 *
 *     open ──end()──► ended ──the other's end──► closed          destroy(), reset, give up: any ──► closed
 *       └─the other's end─► ends by itself ───────┘
 */
export class SimulatedConnection implements Connection {
  readonly remoteAddress: string;
  readonly remoteMachine: string;
  readonly #life: Life;
  readonly #out: BytePipe;
  readonly #in: BytePipe;
  readonly #onOpened: (() => void) | null;
  readonly #onGone: () => void;
  readonly #arrived = new Fifo<Segment>();
  #arrivedBytes = 0;
  #handlers: ConnectionHandlers | null = null;
  #isPaused = false;
  #isDeliveryWaiting = false;
  #hasOutEnded = false;
  #hasInEnded = false;
  #isClosed = false;
  /** Set while nobody has heard of the close. */
  #closedWith: { readonly error: Error | null } | null = null;

  constructor(life: Life, options: SimulatedConnectionOptions) {
    this.#life = life;
    this.remoteAddress = options.remoteAddress;
    this.remoteMachine = options.remoteMachine;
    this.#out = options.out;
    this.#in = options.in;
    this.#onOpened = options.onOpened;
    this.#onGone = options.onGone;
    this.#in.onArrival = (segment) => this.#receive(segment);
    this.#out.onDrain = () => this.#tellDrain();
    this.#out.onEndSent = () => {
      this.#hasOutEnded = true;
      if (this.#hasInEnded) this.#close(null);
    };
    this.#out.onGiveUp = () => this.fail("ETIMEDOUT", `The other end, ${this.remoteAddress}, has not answered for too long`);
    this.#out.onReset = () => this.fail("ECONNRESET", `The connection to ${this.remoteAddress} was reset on the way`);
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#closedWith !== null) this.#tellClosedLater();
  }

  write(bytes: Uint8Array): boolean {
    // After the close nothing leaves; `onClose` tells.
    return this.#isClosed || this.#life.isOver || this.#out.write(bytes);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#arrived.length > 0) this.#deliverLater();
  }

  end(): void {
    if (!this.#isClosed && !this.#life.isOver) this.#out.end();
  }

  destroy(): void {
    if (!this.#life.isOver) this.abandon();
  }

  /** Closes from the kernel's side: a reset if bytes arrived that nobody has read, else an end (RFC 9293 3.10.4, RFC 2525 2.17). */
  abandon(): void {
    if (this.#isClosed) return;
    this.#out.abort(this.#arrivedBytes > 0 ? "reset" : "end");
    this.#close(null);
  }

  /** Closes with an error; the other end is not told. */
  fail(code: "ECONNRESET" | "ETIMEDOUT", sentence: string): void {
    if (this.#isClosed) return;
    this.#out.close();
    this.#close(connectionError(code, sentence));
  }

  /** The machine lost power. */
  vanish(): void {
    this.#out.vanish();
    this.#isClosed = true;
    this.#arrived.clear();
  }

  #receive(segment: Segment): void {
    if (this.#isClosed) {
      // Nobody is here any more: whoever sends something that needs an answer is told.
      if (segment !== "end" && segment !== "reset") this.#out.abort("reset");
      return;
    }
    if (segment === "reset") {
      this.fail("ECONNRESET", `The connection was reset by ${this.remoteAddress}`);
      return;
    }
    this.#arrived.push(segment);
    if (typeof segment !== "string") this.#arrivedBytes += segment.length;
    if (this.#isPaused || this.#isDeliveryWaiting) return;
    this.#isDeliveryWaiting = true;
    this.#life.enter("delivery", () => this.#deliver());
  }

  #deliverLater(): void {
    if (this.#isDeliveryWaiting) return;
    this.#isDeliveryWaiting = true;
    this.#life.schedule(0, "delivery", () => this.#deliver());
  }

  #deliver(): void {
    this.#isDeliveryWaiting = false;
    while (!this.#isPaused && !this.#isClosed) {
      const segment = this.#arrived.shift();
      if (segment === undefined) return;
      if (segment === "opened") {
        this.#onOpened?.();
        // The handlers may be set by a microtask of this turn.
        if (this.#arrived.length > 0) this.#deliverLater();
        return;
      }
      if (segment === "end") {
        this.#takeEnd();
        return;
      }
      if (typeof segment === "string") continue;
      this.#arrivedBytes -= segment.length;
      this.#in.read(segment.length);
      this.#handlersSet().onData(segment);
    }
  }

  #takeEnd(): void {
    this.#hasInEnded = true;
    if (this.#hasOutEnded) this.#close(null);
    else this.#out.end();
  }

  #tellDrain(): void {
    this.#life.schedule(0, "drain", () => {
      if (!this.#isClosed) this.#handlersSet().onDrain();
    });
  }

  #close(error: Error | null): void {
    this.#isClosed = true;
    this.#closedWith = { error };
    this.#arrived.clear();
    this.#onGone();
    this.#tellClosedLater();
  }

  // A connection that fails before its process was given it has no handlers yet.
  #tellClosedLater(): void {
    this.#life.schedule(0, "close", () => {
      const closed = this.#closedWith;
      if (closed === null || this.#handlers === null) return;
      this.#closedWith = null;
      this.#handlers.onClose(closed.error);
    });
  }

  #handlersSet(): ConnectionHandlers {
    if (this.#handlers === null) {
      throw new Error(`The connection with ${this.remoteAddress} was handed out, and its handlers were not set in that turn`);
    }
    return this.#handlers;
  }
}
