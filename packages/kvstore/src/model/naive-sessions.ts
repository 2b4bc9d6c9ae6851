import type { Admission, RequestIdentity, SessionLimits } from "../session/session-table.ts";
import { resultOverheadBytes } from "../session/session-table.ts";

interface NaiveSession {
  readonly clientId: bigint;
  readonly usedAtMs: number;
  readonly forgottenBelow: number;
  /** In the order in which they were recorded. */
  readonly results: readonly { readonly sequence: number; readonly result: Uint8Array }[];
}

/** What the session table has to do, on a plain list of sessions in the order of their last use. */
export class NaiveSessions {
  readonly #limits: SessionLimits;
  sessions: readonly NaiveSession[] = [];
  nowMs = 0;
  #readingMs: number | null = null;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  copy(): NaiveSessions {
    const copy = new NaiveSessions(this.#limits);
    copy.sessions = this.sessions;
    copy.nowMs = this.nowMs;
    copy.#readingMs = this.#readingMs;
    return copy;
  }

  admit({ clientId, sequence, lowestAwaited }: RequestIdentity): Admission {
    const { sessionsMax, replaceableAfterMs } = this.#limits;
    const known = this.sessions.find((each) => each.clientId === clientId);
    if (known === undefined && lowestAwaited > 1) return { kind: "refused", reason: "session-expired" };
    if (known === undefined && this.sessions.length === sessionsMax) {
      const isOldestIdle = this.nowMs - (this.sessions[0]?.usedAtMs ?? 0) >= replaceableAfterMs;
      if (!isOldestIdle) return { kind: "refused", reason: "too-many-sessions" };
      this.sessions = this.sessions.slice(1);
    }
    const session = known ?? { clientId, usedAtMs: this.nowMs, forgottenBelow: 1, results: [] };
    const forgottenBelow = Math.max(session.forgottenBelow, lowestAwaited);
    const firstKept = session.results.findIndex((each) => each.sequence >= forgottenBelow);
    const results = firstKept === -1 ? [] : session.results.slice(firstKept);
    this.#put({ clientId, usedAtMs: this.nowMs, forgottenBelow, results }, session.usedAtMs < this.nowMs);
    if (sequence < forgottenBelow) return { kind: "refused", reason: "result-forgotten" };
    const found = results.find((each) => each.sequence === sequence);
    return found === undefined ? { kind: "new" } : { kind: "repeated", result: found.result };
  }

  record({ clientId, sequence }: RequestIdentity, result: Uint8Array): void {
    const session = this.sessions.find((each) => each.clientId === clientId);
    if (session === undefined) throw new Error("A result is recorded for a session");
    this.#put({ ...session, results: [...session.results, { sequence, result }] }, false);
    for (;;) {
      const last = this.sessions.find((each) => each.clientId === clientId) ?? session;
      const [first, ...others] = last.results;
      const isOver = last.results.length > this.#limits.resultsPerSessionMax || this.#bytes > this.#limits.resultBytesMax;
      if (first === undefined || others.length === 0 || !isOver) return;
      this.#put({ ...last, forgottenBelow: Math.max(last.forgottenBelow, first.sequence + 1), results: others }, false);
    }
  }

  advance(readingMs: number): void {
    const passedMs = readingMs - (this.#readingMs ?? readingMs);
    this.nowMs += Math.max(0, Math.min(passedMs, this.#limits.advanceMaxMs));
    this.#readingMs = readingMs;
    this.sessions = this.sessions.filter((each) => this.nowMs - each.usedAtMs < this.#limits.expiresAfterMs);
  }

  get #bytes(): number {
    return this.sessions.flatMap((each) => each.results).reduce((sum, { result }) => sum + result.length + resultOverheadBytes, 0);
  }

  /** Replaces the session of the same client, in its place unless it has to go behind all others. */
  #put(session: NaiveSession, isMoved: boolean): void {
    const place = this.sessions.findIndex((each) => each.clientId === session.clientId);
    if (place !== -1 && !isMoved) this.sessions = this.sessions.with(place, session);
    else this.sessions = [...this.sessions.filter((each) => each.clientId !== session.clientId), session];
  }
}
