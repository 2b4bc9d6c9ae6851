import type { RaftKvResponse } from "@raftkv/api";
import type { RpcClock, RpcRandom } from "@raftkv/raft-rpc";

/** What tells a request from all others, the same in each attempt (raftkv.v1). */
export interface RequestIdentity {
  /** 64 random bits, never 0. */
  readonly clientId: bigint;
  /** Requests of one client id count from 1. */
  readonly sequence: number;
  /** Results of writes below are not asked for any more. 0: it does not say. */
  readonly lowestAwaited: number;
}

/**
 * Writes from the oldest that waits for its answer to the newest. The cluster keeps their results, at most 1024 of one client: beyond that it
 * could not tell a repeated write from a new one.
 */
export const writesOfSessionMax = 512;
/** After this time without a write another session is begun: the cluster may give the old one up after 60 s. */
export const sessionIdleMsMax = 30_000;

/** Resolves to `session-lost` only if the write was certainly not executed. */
type RunWrite = (identity: RequestIdentity) => Promise<RaftKvResponse>;

interface Session {
  readonly clientId: bigint;
  sequence: number;
  /** Does the cluster know it? Before the first answer it must not be taken for one that was forgotten. */
  known: boolean;
  /** By sequence: did it end? From the oldest that did not. */
  readonly writes: Map<number, boolean>;
  usedAtMs: number;
}

/**
 * Gives requests their identity, by which the cluster executes a write once however often it is sent (dissertation 6.3). A session that may be
 * forgotten is left for another, but only when none of its writes is under way.
 */
export class RequestSessions {
  readonly #clock: RpcClock;
  readonly #random: RpcRandom;
  readonly #waiting: (() => void)[] = [];
  #session: Session;

  constructor({ clock, random }: { readonly clock: RpcClock; readonly random: RpcRandom }) {
    this.#clock = clock;
    this.#random = random;
    this.#session = this.#begin();
  }

  /** A read leaves nothing behind. */
  identifyRead(): RequestIdentity {
    const session = this.#session;
    session.sequence += 1;
    return { clientId: session.clientId, sequence: session.sequence, lowestAwaited: 0 };
  }

  /**
   * Runs a write when there is room for it. Writes that come earlier begin earlier. One that the cluster refuses because it has forgotten the
   * session was not executed, and is run once more in another session.
   */
  async write(run: RunWrite): Promise<RaftKvResponse> {
    const response = await this.#runInSession(run);
    return response.status === "session-lost" ? this.#runInSession(run) : response;
  }

  async #runInSession(run: RunWrite): Promise<RaftKvResponse> {
    while (this.#session.writes.size >= writesOfSessionMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#renew();
    const session = this.#session;
    session.sequence += 1;
    const { clientId, sequence } = session;
    session.writes.set(sequence, false);
    const lowestAwaited = session.known ? firstOf(session.writes) : 1;
    try {
      const response = await run({ clientId, sequence, lowestAwaited });
      if (response.status === "session-lost") this.#leave(session);
      else session.known ||= response.status !== "redirect";
      return response;
    } catch (error) {
      // The cluster may have refused the session, or may never have heard of it.
      this.#leave(session);
      throw error;
    } finally {
      this.#end(session, sequence);
    }
  }

  #end(session: Session, sequence: number): void {
    session.usedAtMs = this.#clock.monotonicMs();
    session.writes.set(sequence, true);
    for (const [first, ended] of session.writes) {
      if (!ended) break;
      session.writes.delete(first);
    }
    // Those that find no room wait again.
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #leave(session: Session): void {
    if (session === this.#session) this.#session = this.#begin();
  }

  #renew(): void {
    const { writes, usedAtMs, known } = this.#session;
    if (known && writes.size === 0 && this.#clock.monotonicMs() - usedAtMs > sessionIdleMsMax) this.#session = this.#begin();
  }

  #begin(): Session {
    return { clientId: randomId(this.#random), sequence: 0, known: false, writes: new Map(), usedAtMs: this.#clock.monotonicMs() };
  }
}

function firstOf(writes: ReadonlyMap<number, boolean>): number {
  for (const sequence of writes.keys()) return sequence;
  return 1;
}

function randomId(random: RpcRandom): bigint {
  const id = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  return id === 0n ? 1n : id;
}
