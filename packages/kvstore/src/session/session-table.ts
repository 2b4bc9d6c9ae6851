import { assert } from "../assertion.ts";
import { SnapshotFormatError } from "../snapshot-format.ts";
import type { SnapshotSection } from "../snapshot-section.ts";
import type { Session } from "./session.ts";
import { decodeSessions, encodedSessions } from "./session-section.ts";

/** What tells a request from all others, the same each time it is sent. */
export interface RequestIdentity {
  /** Drawn at random by the client, never 0n. */
  readonly clientId: bigint;
  /** The client's requests count from 1. */
  readonly sequence: number;
  /** The lowest sequence whose answer the client still waits for; results of those below are forgotten. 0: it does not say. */
  readonly lowestAwaited: number;
}

/** Whether a request is to be executed. A refused one is not: nobody knows any more whether it was. */
export type Admission =
  | { readonly kind: "new" }
  | { readonly kind: "repeated"; readonly result: Uint8Array }
  | { readonly kind: "refused"; readonly reason: SessionRefusal };

/**
 * Why a request can't be told to be new: its result is forgotten, or its whole session has expired, or there is no room for the
 * session of a new client.
 */
export type SessionRefusal = "result-forgotten" | "session-expired" | "too-many-sessions";

/** The same on all members, because what they apply depends on it. */
export interface SessionLimits {
  readonly sessionsMax: number;
  /** Results kept for one client: requests that it may have under way. */
  readonly resultsPerSessionMax: number;
  /** Bytes of all results, each with `resultOverheadBytes`. Above, a session that gets one more keeps no other. */
  readonly resultBytesMax: number;
  /** A session that was idle this long makes room for another if there are too many. Clients repeat requests within this time. */
  readonly replaceableAfterMs: number;
  readonly expiresAfterMs: number;
  /**
   * What passes at most between two readings of the clock, so that a clock that was set, or a cluster that was down, ends nothing. Less
   * than the other times, and about the time from reading to reading.
   */
  readonly advanceMaxMs: number;
}

export const defaultSessionLimits: SessionLimits = {
  sessionsMax: 65_536,
  resultsPerSessionMax: 1024,
  resultBytesMax: 64 * 1024 * 1024,
  replaceableAfterMs: 60_000,
  expiresAfterMs: 60 * 60_000,
  advanceMaxMs: 30_000,
};

/** About what a result takes besides its bytes. */
export const resultOverheadBytes = 192;

/**
 * The results of requests that clients may send again, so that each is executed once (dissertation 6.3). A session begins with the
 * first request of a client and ends when it has been idle for long, by the time that the log tells. A client that comes back
 * after that is refused, unless it never had an answer: then it is taken for a new one.
 */
export class SessionTable implements SnapshotSection {
  readonly name = "sessions";
  readonly #limits: SessionLimits;
  /** By the time of the last use, the oldest first. */
  readonly #sessions = new Map<bigint, Session>();
  #resultBytes = 0;
  #snapshotCount = 0;
  /** Milliseconds that have passed, and the clock's reading up to which they were counted, 0 before the first. */
  #nowMs = 0;
  #readingMs = 0;

  constructor(limits: SessionLimits = defaultSessionLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Tells whether a request is to be executed. If it is new, `record` has to follow with its result. */
  admit({ clientId, sequence, lowestAwaited }: RequestIdentity): Admission {
    const known = this.#sessions.get(clientId) ?? this.#begin(clientId, lowestAwaited);
    if (typeof known === "string") return { kind: "refused", reason: known };
    const session = this.#writable(known);
    this.#touch(session);
    this.#forgetBelow(session, lowestAwaited);
    if (sequence < session.forgottenBelow) return { kind: "refused", reason: "result-forgotten" };
    const result = session.results.get(sequence);
    return result === undefined ? { kind: "new" } : { kind: "repeated", result };
  }

  /** Keeps the first result of a request that was just admitted as new. The bytes are copied. */
  record({ clientId, sequence }: RequestIdentity, result: Uint8Array): void {
    const known = this.#sessions.get(clientId);
    assert(known !== undefined && !known.results.has(sequence), "A result is recorded once, for a request that was admitted");
    const session = this.#writable(known);
    session.results.set(sequence, result.slice());
    this.#resultBytes += resultOverheadBytes + result.length;
    while (session.results.size > 1 && this.#isOver(session)) this.#forgetFirst(session);
  }

  /** Takes a reading of the leader's clock, and ends the sessions that have expired by it. */
  advance(readingMs: number): void {
    const passedMs = this.#readingMs === 0 ? 0 : readingMs - this.#readingMs;
    this.#nowMs += Math.min(Math.max(passedMs, 0), this.#limits.advanceMaxMs);
    this.#readingMs = readingMs;
    for (const session of this.#sessions.values()) {
      if (this.#nowMs - session.usedAtMs < this.#limits.expiresAfterMs) break;
      this.#end(session);
    }
  }

  write(): IterableIterator<Uint8Array> {
    this.#snapshotCount++;
    return encodedSessions({ nowMs: this.#nowMs, readingMs: this.#readingMs }, [...this.#sessions.values()]);
  }

  read(piece: Uint8Array): void {
    const { nowMs, readingMs, sessions } = decodeSessions(piece);
    this.#nowMs = nowMs;
    this.#readingMs = readingMs;
    for (const session of sessions) {
      const { clientId, usedAtMs } = session;
      if (this.#sessions.has(clientId)) throw new SnapshotFormatError(`Client ${clientId} comes twice`);
      if (usedAtMs > nowMs) throw new SnapshotFormatError(`Client ${clientId} was here at ${usedAtMs}, after ${nowMs}`);
      this.#sessions.set(clientId, { ...session, snapshotCount: this.#snapshotCount });
      for (const result of session.results.values()) this.#resultBytes += resultOverheadBytes + result.length;
    }
  }

  /** A session for a client that has none. One that had answers before has lost its session. */
  #begin(clientId: bigint, lowestAwaited: number): Session | SessionRefusal {
    if (lowestAwaited > 1) return "session-expired";
    if (this.count >= this.#limits.sessionsMax && !this.#replaceOldest()) return "too-many-sessions";
    const session: Session = {
      clientId,
      usedAtMs: this.#nowMs,
      forgottenBelow: 1,
      results: new Map(),
      snapshotCount: this.#snapshotCount,
    };
    this.#sessions.set(clientId, session);
    return session;
  }

  #replaceOldest(): boolean {
    for (const oldest of this.#sessions.values()) {
      if (this.#nowMs - oldest.usedAtMs < this.#limits.replaceableAfterMs) return false;
      this.#end(oldest);
      return true;
    }
    return false;
  }

  /** The session to be changed: a copy in its place, if a snapshot was opened since it was made. */
  #writable(session: Session): Session {
    if (session.snapshotCount === this.#snapshotCount) return session;
    const copy: Session = { ...session, results: new Map(session.results), snapshotCount: this.#snapshotCount };
    this.#sessions.set(session.clientId, copy);
    return copy;
  }

  /** Puts the session behind all others, unless its place is among those of this moment. */
  #touch(session: Session): void {
    if (session.usedAtMs === this.#nowMs) return;
    session.usedAtMs = this.#nowMs;
    this.#sessions.delete(session.clientId);
    this.#sessions.set(session.clientId, session);
  }

  #end(session: Session): void {
    for (const result of session.results.values()) this.#resultBytes -= resultOverheadBytes + result.length;
    this.#sessions.delete(session.clientId);
  }

  #isOver(session: Session): boolean {
    return session.results.size > this.#limits.resultsPerSessionMax || this.#resultBytes > this.#limits.resultBytesMax;
  }

  /** Forgets from the first result on that was recorded. One that was recorded out of turn goes when it has become the first. */
  #forgetBelow(session: Session, sequence: number): void {
    session.forgottenBelow = Math.max(session.forgottenBelow, sequence);
    for (const first of session.results.keys()) {
      if (first >= session.forgottenBelow) break;
      this.#forgetFirst(session);
    }
  }

  #forgetFirst(session: Session): void {
    for (const [sequence, result] of session.results) {
      session.results.delete(sequence);
      this.#resultBytes -= resultOverheadBytes + result.length;
      session.forgottenBelow = Math.max(session.forgottenBelow, sequence + 1);
      return;
    }
  }
}
