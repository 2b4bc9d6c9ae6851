import { describe, expect, test } from "vitest";
import { KVStore } from "../kv-store.ts";
import { bytesOf, textOf } from "../model/bytes-as-text.ts";

function keysOf(store: KVStore, id: bigint): readonly string[] {
  return store.leases.keysOf(id).map(textOf);
}

function put(store: KVStore, key: string, lease: bigint): void {
  store.set(bytesOf(key), bytesOf("1"), { lease });
}

describe("a lease", () => {
  test("is granted once, and known until it is revoked", () => {
    const { leases } = new KVStore();
    expect(leases.grant(7n, 60, 11)).toBe("granted");
    expect(leases.grant(7n, 30, 12)).toBe("already-exists");
    expect(leases.get(7n)).toEqual({ id: 7n, ttlSeconds: 60, grantNumber: 11, remainingSeconds: 0 });
    expect(leases.get(8n)).toBeNull();
    expect(leases.revoke(7n)).toEqual({ outcome: "revoked", revision: 1, deleted: 0 });
    expect(leases.revoke(7n)).toEqual({ outcome: "not-found" });
    expect(leases.count).toBe(0);
  });

  test("is listed in the order of grants", () => {
    const { leases } = new KVStore();
    for (const id of [5n, -3n, 2n ** 63n - 1n]) leases.grant(id, 60, 1);
    leases.revoke(-3n);
    leases.grant(-3n, 60, 2);
    expect(Array.from(leases.list(), ({ id }) => id)).toEqual([5n, 2n ** 63n - 1n, -3n]);
  });

  test("has the keys that were last put with it, in byte order", () => {
    const store = new KVStore();
    store.leases.grant(1n, 60, 1);
    store.leases.grant(2n, 60, 2);
    for (const key of ["b", "a\0", "\u00ff", "a"]) put(store, key, 1n);
    expect(keysOf(store, 1n)).toEqual(["a", "a\0", "b", "\u00ff"]);
    put(store, "b", 2n);
    put(store, "a", 0n);
    put(store, "a\0", 1n);
    store.deleteRange(bytesOf("\u00ff"), bytesOf(""));
    expect([keysOf(store, 1n), keysOf(store, 2n), keysOf(store, 3n)]).toEqual([["a\0"], ["b"], []]);
  });

  test("takes its keys with it at one revision, and keys that others have stay", () => {
    const store = new KVStore();
    store.leases.grant(1n, 60, 1);
    store.leases.grant(2n, 60, 2);
    for (const key of ["c", "a", "b"]) put(store, key, 1n);
    put(store, "b", 2n);
    expect(store.leases.revoke(1n)).toEqual({ outcome: "revoked", revision: 6, deleted: 2 });
    const events: string[] = [];
    store.visitEvents(6, 10, ({ kind, revision, current }) => events.push(`${kind} ${textOf(current.keyView())} at ${revision}`));
    expect(events).toEqual(["delete a at 6", "delete c at 6"]);
    expect(keysOf(store, 2n)).toEqual(["b"]);
    store.verify();
  });

  test("notes what a leader says to be left, within the time it has", () => {
    const { leases } = new KVStore();
    leases.grant(1n, 60, 1);
    for (const [seconds, noted] of [
      [20, 20],
      [61, 60],
      [-1, 0],
    ] as const) {
      expect(leases.checkpoint(1n, seconds)).toBe(true);
      expect(leases.get(1n)?.remainingSeconds).toBe(noted);
    }
    expect(leases.checkpoint(2n, 5)).toBe(false);
  });
});

describe("an expiry", () => {
  function granted(): KVStore {
    const store = new KVStore();
    store.leases.grant(1n, 60, 11);
    put(store, "a", 1n);
    return store;
  }

  test("ends the lease that the leader meant", () => {
    const store = granted();
    expect(store.leases.expire({ id: 1n, grantNumber: 11, term: 3 }, 3)).toEqual({ outcome: "revoked", revision: 3, deleted: 1 });
    expect(store.leases.expire({ id: 1n, grantNumber: 11, term: 3 }, 3)).toEqual({ outcome: "not-found" });
  });

  test("is stale if the lease was granted anew, or the log has it under a later term", () => {
    const { leases } = granted();
    expect(leases.expire({ id: 1n, grantNumber: 10, term: 3 }, 3)).toEqual({ outcome: "stale" });
    expect(leases.expire({ id: 1n, grantNumber: 11, term: 3 }, 4)).toEqual({ outcome: "stale" });
    expect(leases.has(1n)).toBe(true);
  });
});

test("a key can't be attached to a lease that is not there", () => {
  const store = new KVStore();
  expect(() => put(store, "a", 9n)).toThrow("A key is attached to a lease that is there");
});

test("a snapshot with a lease that comes twice is refused", () => {
  const { leases } = new KVStore();
  leases.grant(1n, 60, 1);
  const [piece = new Uint8Array(0)] = leases.write();
  expect(() => leases.read(piece)).toThrow("Lease 1 comes twice");
});

test("a snapshot has the leases and sessions of the moment it was opened, also if they are many", () => {
  const store = new KVStore();
  const count = 5000;
  for (let at = 1; at <= count; at++) {
    const identity = { clientId: BigInt(at), sequence: 1, lowestAwaited: 1 };
    store.leases.grant(BigInt(at), 60, at);
    store.sessions.admit(identity);
    store.sessions.record(identity, new Uint8Array(8));
  }
  put(store, "a", 5n);
  const snapshot = store.snapshot();
  for (let at = 1; at <= count; at++) store.leases.revoke(BigInt(at));
  for (let at = 1; at <= count; at++) store.sessions.admit({ clientId: BigInt(at), sequence: 2, lowestAwaited: 2 });
  const restorer = store.createRestorer();
  for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) restorer.push(chunk);
  snapshot.close();
  restorer.finish();
  expect(store.leases.count).toBe(count);
  expect(keysOf(store, 5n)).toEqual(["a"]);
  expect(store.sessions.admit({ clientId: 4999n, sequence: 1, lowestAwaited: 1 })).toEqual({ kind: "repeated", result: new Uint8Array(8) });
  store.verify();
});
