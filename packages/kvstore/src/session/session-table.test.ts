import { describe, expect, test } from "vitest";
import { bytesOf } from "../model/bytes-as-text.ts";
import { type Admission, defaultSessionLimits, resultOverheadBytes, type SessionLimits, SessionTable } from "./session-table.ts";

const isNew: Admission = { kind: "new" };
const repeated = (result: string): Admission => ({ kind: "repeated", result: bytesOf(result) });
const refused = (reason: "result-forgotten" | "session-expired" | "too-many-sessions"): Admission => ({ kind: "refused", reason });

/** A table with small limits that can be asked in one line. */
class Sessions {
  readonly table: SessionTable;

  constructor(limits: Partial<SessionLimits> = {}) {
    this.table = new SessionTable({ ...defaultSessionLimits, ...limits });
    this.table.advance(1_000_000);
  }

  admit(clientId: bigint, sequence: number, lowestAwaited = 1): Admission {
    return this.table.admit({ clientId, sequence, lowestAwaited });
  }

  /** A new request, and its result. */
  done(clientId: bigint, sequence: number, lowestAwaited = 1, result = `result ${sequence}`): void {
    const admission = this.admit(clientId, sequence, lowestAwaited);
    if (admission.kind !== "new") throw new Error(`Request ${sequence} of client ${clientId} is ${admission.kind}`);
    this.table.record({ clientId, sequence, lowestAwaited }, bytesOf(result));
  }

  /** Lets time pass in steps that count in full. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 30_000) {
      this.#readingMs += Math.min(left, 30_000);
      this.table.advance(this.#readingMs);
    }
  }

  #readingMs = 1_000_000;
}

describe("a request", () => {
  test("is executed once, and answered with its first result from then on", () => {
    const sessions = new Sessions();
    sessions.done(1n, 1);
    expect(sessions.admit(1n, 1)).toEqual(repeated("result 1"));
    expect(sessions.admit(2n, 1)).toEqual(isNew);
    sessions.done(1n, 3);
    sessions.done(1n, 2);
    expect([1, 2, 3].map((sequence) => sessions.admit(1n, sequence))).toEqual([1, 2, 3].map((sequence) => repeated(`result ${sequence}`)));
  });

  test("is refused once the client had its answer, or says so", () => {
    const sessions = new Sessions();
    for (const sequence of [1, 2, 3]) sessions.done(1n, sequence);
    sessions.done(1n, 4, 3);
    expect(sessions.admit(1n, 2)).toEqual(refused("result-forgotten"));
    expect(sessions.admit(1n, 3)).toEqual(repeated("result 3"));
    expect(sessions.admit(1n, 4, 5)).toEqual(refused("result-forgotten"));
  });

  test("keeps a copy of its result", () => {
    const sessions = new Sessions();
    const result = bytesOf("before");
    expect(sessions.admit(1n, 1)).toEqual(isNew);
    sessions.table.record({ clientId: 1n, sequence: 1, lowestAwaited: 1 }, result);
    result.set(bytesOf("after"));
    expect(sessions.admit(1n, 1)).toEqual(repeated("before"));
  });

  test("of a client that does not say what it awaits is known as long as there is room", () => {
    const sessions = new Sessions({ resultsPerSessionMax: 2 });
    for (const sequence of [1, 2, 3]) sessions.done(1n, sequence, 0);
    expect([1, 2, 3].map((sequence) => sessions.admit(1n, sequence, 0))).toEqual([
      refused("result-forgotten"),
      repeated("result 2"),
      repeated("result 3"),
    ]);
  });
});

describe("a session", () => {
  test("ends when it has been idle for long, and its client is told", () => {
    const sessions = new Sessions({ expiresAfterMs: 100_000 });
    sessions.done(1n, 1);
    sessions.pass(60_000);
    sessions.done(2n, 1);
    sessions.pass(40_000);
    expect(sessions.table.count).toBe(1);
    expect(sessions.admit(1n, 2, 2)).toEqual(refused("session-expired"));
    expect(sessions.admit(2n, 1)).toEqual(repeated("result 1"));
    sessions.pass(60_000);
    expect(sessions.admit(2n, 1), "a repeated request is a use").toEqual(repeated("result 1"));
  });

  test("does not end because a clock was set or the cluster was down", () => {
    const sessions = new Sessions({ expiresAfterMs: 100_000, advanceMaxMs: 60_000 });
    sessions.done(1n, 1);
    for (const readingMs of [1_000_000 + 365 * 86_400_000, 5, 1_000]) sessions.table.advance(readingMs);
    expect(sessions.admit(1n, 1)).toEqual(repeated("result 1"));
  });

  test("that began before the first reading of a clock does not end with it", () => {
    const sessions = new SessionTable();
    sessions.admit({ clientId: 1n, sequence: 1, lowestAwaited: 1 });
    sessions.advance(1_700_000_000_000);
    expect(sessions.count).toBe(1);
  });

  test("makes room for another if there are too many, but not while its client may repeat a request", () => {
    const sessions = new Sessions({ sessionsMax: 2, replaceableAfterMs: 20_000 });
    sessions.done(1n, 1);
    sessions.done(2n, 1);
    sessions.pass(10_000);
    expect(sessions.admit(1n, 1)).toEqual(repeated("result 1"));
    expect(sessions.admit(3n, 1)).toEqual(refused("too-many-sessions"));
    sessions.pass(10_000);
    sessions.done(3n, 1);
    expect(sessions.admit(2n, 2, 2)).toEqual(refused("session-expired"));
    expect(sessions.admit(4n, 1)).toEqual(refused("too-many-sessions"));
    expect(sessions.admit(1n, 1)).toEqual(repeated("result 1"));
  });

  test("keeps its last result only when all results together are too many bytes", () => {
    const sessions = new Sessions({ resultBytesMax: 3 * resultOverheadBytes + 30 });
    sessions.done(1n, 1, 1, "ten bytes!");
    sessions.done(2n, 1, 1, "ten bytes!");
    sessions.done(2n, 2, 1, "ten bytes!");
    sessions.done(2n, 3, 1, "ten bytes!");
    expect(sessions.admit(2n, 1)).toEqual(refused("result-forgotten"));
    expect(sessions.admit(2n, 2)).toEqual(repeated("ten bytes!"));
    sessions.done(3n, 1, 1, "ten bytes!");
    expect(sessions.admit(3n, 1)).toEqual(repeated("ten bytes!"));
    sessions.done(2n, 4, 1, "ten bytes!");
    expect(sessions.admit(2n, 3)).toEqual(refused("result-forgotten"));
    expect(sessions.admit(1n, 1)).toEqual(repeated("ten bytes!"));
  });
});

test("a table that was written and read goes on as the first", () => {
  const limits = { sessionsMax: 3, resultsPerSessionMax: 2, expiresAfterMs: 100_000, advanceMaxMs: 60_000 };
  const first = new Sessions(limits);
  first.done(1n, 1);
  first.pass(20_000);
  for (const sequence of [1, 2, 3]) first.done(2n, sequence);
  const second = new SessionTable({ ...defaultSessionLimits, ...limits });
  for (const piece of first.table.write()) second.read(piece);
  expect([...second.write()]).toEqual([...first.table.write()]);
  for (const table of [first.table, second]) {
    table.advance(1_020_000 + 50_000);
    table.advance(1_020_000 + 80_000);
    expect(table.count).toBe(1);
    expect(table.admit({ clientId: 2n, sequence: 3, lowestAwaited: 1 })).toEqual(repeated("result 3"));
    expect(table.admit({ clientId: 2n, sequence: 1, lowestAwaited: 1 })).toEqual(refused("result-forgotten"));
  }
  expect([...second.write()]).toEqual([...first.table.write()]);
});

test("what is written is the state when it was asked for, whatever happens before it is taken", () => {
  const sessions = new Sessions();
  for (const clientId of [1n, 2n, 3n]) sessions.done(clientId, 1);
  sessions.done(1n, 2);
  const before = [...sessions.table.write()];
  const later = sessions.table.write();
  sessions.done(1n, 3, 3);
  sessions.pass(30_000);
  sessions.done(2n, 2);
  sessions.done(4n, 1);
  expect([...later]).toEqual(before);
  expect([...sessions.table.write()]).not.toEqual(before);
});

test("a snapshot with a client that comes twice, or from later than its own time, is refused", () => {
  const sessions = new Sessions();
  sessions.pass(20_000);
  sessions.done(1n, 1);
  const [piece = new Uint8Array(0)] = sessions.table.write();
  const table = new SessionTable();
  table.read(piece);
  expect(() => table.read(piece)).toThrow("Client 1 comes twice");
  new DataView(piece.buffer).setUint32(4, 19_999);
  expect(() => new SessionTable().read(piece)).toThrow("Client 1 was here at 20000, after 19999");
});
