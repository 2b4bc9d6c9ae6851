import { readSafeInteger, SnapshotFormatError, writeSafeInteger } from "../snapshot-format.ts";
import type { Session } from "./session.ts";

/** What a snapshot holds of sessions. */
export interface SessionState {
  readonly nowMs: number;
  readonly readingMs: number;
  readonly sessions: ReadonlyMap<bigint, Session>;
}

/**
 * The sessions in a snapshot, big-endian, in the order of their last use, results in the order in which they were recorded:
 *
 *     time       now u64 | clock reading u64                                        16 bytes, then sessions
 *     session    client id u64 | used at u64 | forgotten below u64 | results u32     28 bytes, then its results
 *     result     sequence u64 | length u32 | bytes
 */
const timeBytes = 16;
const sessionHeadBytes = 28;
const resultHeadBytes = 12;

export function encodeSessions({ nowMs, readingMs, sessions }: SessionState): Uint8Array {
  let size = timeBytes;
  for (const { results } of sessions.values()) {
    size += sessionHeadBytes;
    for (const result of results.values()) size += resultHeadBytes + result.length;
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  writeSafeInteger(view, 0, nowMs);
  writeSafeInteger(view, 8, readingMs);
  let at = timeBytes;
  for (const [clientId, { usedAtMs, forgottenBelow, results }] of sessions) {
    view.setBigUint64(at, clientId);
    writeSafeInteger(view, at + 8, usedAtMs);
    writeSafeInteger(view, at + 16, forgottenBelow);
    view.setUint32(at + 24, results.size);
    at += sessionHeadBytes;
    for (const [sequence, result] of results) {
      writeSafeInteger(view, at, sequence);
      view.setUint32(at + 8, result.length);
      bytes.set(result, at + resultHeadBytes);
      at += resultHeadBytes + result.length;
    }
  }
  return bytes;
}

/** @throws SnapshotFormatError */
export function decodeSessions(bytes: Uint8Array): SessionState {
  return new SessionReader(bytes).read();
}

class SessionReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): SessionState {
    const head = this.#take(timeBytes);
    const nowMs = readSafeInteger(this.#view, head, "Time");
    const readingMs = readSafeInteger(this.#view, head + 8, "Clock reading");
    const sessions = new Map<bigint, Session>();
    let usedBeforeMs = 0;
    while (this.#at < this.#bytes.length) {
      const [clientId, session] = this.#session();
      require(!sessions.has(clientId), `Client ${clientId} comes twice`);
      require(usedBeforeMs <= session.usedAtMs && session.usedAtMs <= nowMs, `Use at ${session.usedAtMs} is not in order`);
      usedBeforeMs = session.usedAtMs;
      sessions.set(clientId, session);
    }
    return { nowMs, readingMs, sessions };
  }

  #session(): readonly [bigint, Session] {
    const head = this.#take(sessionHeadBytes);
    const clientId = this.#view.getBigUint64(head);
    const usedAtMs = readSafeInteger(this.#view, head + 8, "Time of use");
    const forgottenBelow = readSafeInteger(this.#view, head + 16, "Forgotten sequence");
    const results = new Map<number, Uint8Array>();
    for (let left = this.#view.getUint32(head + 24); left > 0; left--) {
      const [sequence, result] = this.#result();
      require(!results.has(sequence), `Sequence ${sequence} comes twice`);
      results.set(sequence, result);
    }
    return [clientId, { usedAtMs, forgottenBelow, results }];
  }

  #result(): readonly [number, Uint8Array] {
    const head = this.#take(resultHeadBytes);
    const sequence = readSafeInteger(this.#view, head, "Sequence");
    const start = this.#take(this.#view.getUint32(head + 8));
    return [sequence, this.#bytes.slice(start, this.#at)];
  }

  /** Where the next bytes begin. */
  #take(length: number): number {
    const start = this.#at;
    require(length <= this.#bytes.length - start, `Sessions of ${this.#bytes.length} bytes are cut off`);
    this.#at += length;
    return start;
  }
}

function require(condition: boolean, sentence: string): void {
  if (!condition) throw new SnapshotFormatError(sentence);
}
