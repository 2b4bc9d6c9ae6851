import { readSafeInteger, SnapshotFormatError, writeSafeInteger } from "../snapshot-format.ts";
import { sectionPieceBytes } from "../snapshot-section.ts";
import type { Session } from "./session.ts";

/** The log's time, see SessionTable. */
export interface SessionTime {
  readonly nowMs: number;
  readonly readingMs: number;
}

/** A session as a snapshot holds it. */
export type SavedSession = Omit<Session, "snapshotCount">;

/**
 * A piece of the sessions in a snapshot, big-endian. Sessions come in the order of their last use, results in the order in which they
 * were recorded:
 *
 *     time       now u64 | clock reading u64, the same in each piece                  16 bytes, then sessions
 *     session    client id u64 | used at u64 | forgotten below u64 | results u32     28 bytes, then its results
 *     result     sequence u64 | length u32 | bytes
 */
const timeBytes = 16;
const sessionHeadBytes = 28;
const resultHeadBytes = 12;

/** Pieces of about `sectionPieceBytes`, at least one. */
export function* encodedSessions(time: SessionTime, sessions: readonly SavedSession[]): Generator<Uint8Array> {
  let from = 0;
  do {
    let size = timeBytes;
    let end = from;
    for (; end < sessions.length && size < sectionPieceBytes; end++) size += sessionBytes(sessions[end] as SavedSession);
    yield encodePiece(time, sessions.slice(from, end), size);
    from = end;
  } while (from < sessions.length);
}

function sessionBytes({ results }: SavedSession): number {
  let size = sessionHeadBytes;
  for (const result of results.values()) size += resultHeadBytes + result.length;
  return size;
}

function encodePiece({ nowMs, readingMs }: SessionTime, sessions: readonly SavedSession[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  writeSafeInteger(view, 0, nowMs);
  writeSafeInteger(view, 8, readingMs);
  let at = timeBytes;
  for (const { clientId, usedAtMs, forgottenBelow, results } of sessions) {
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
export function decodeSessions(piece: Uint8Array): SessionTime & { readonly sessions: readonly SavedSession[] } {
  return new SessionReader(piece).read();
}

class SessionReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): SessionTime & { readonly sessions: readonly SavedSession[] } {
    const head = this.#take(timeBytes);
    const nowMs = readSafeInteger(this.#view, head, "Time");
    const readingMs = readSafeInteger(this.#view, head + 8, "Clock reading");
    const sessions: SavedSession[] = [];
    while (this.#at < this.#bytes.length) sessions.push(this.#session());
    return { nowMs, readingMs, sessions };
  }

  #session(): SavedSession {
    const head = this.#take(sessionHeadBytes);
    const clientId = this.#view.getBigUint64(head);
    const usedAtMs = readSafeInteger(this.#view, head + 8, "Time of use");
    const forgottenBelow = readSafeInteger(this.#view, head + 16, "Forgotten sequence");
    const results = new Map<number, Uint8Array>();
    for (let left = this.#view.getUint32(head + 24); left > 0; left--) {
      const [sequence, result] = this.#result();
      if (results.has(sequence)) throw new SnapshotFormatError(`Sequence ${sequence} of client ${clientId} comes twice`);
      results.set(sequence, result);
    }
    return { clientId, usedAtMs, forgottenBelow, results };
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
    if (length > this.#bytes.length - start) throw new SnapshotFormatError(`Sessions of ${this.#bytes.length} bytes are cut off`);
    this.#at += length;
    return start;
  }
}
