import {
  create,
  encodeDeleteRangeRequest,
  encodeKeyRequest,
  encodeKeyValueRequest,
  encodeLeaseExpireCommand,
  encodeMemberAttributesCommand,
  encodePutRequest,
  encodeRequestCommand,
  encodeTxnRequest,
  etcdserverpb,
  type RequestOp,
  type TxnRequest,
  toBinary,
} from "@raftkv/api";
import type { Clock } from "@raftkv/raft-node";
import { describe, expect, test } from "vitest";
import { MemberDirectory } from "../cluster/member-directory.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import type { ApplyResult } from "./apply-result.ts";
import { ReplicatedState } from "./replicated-state.ts";

const { AlarmRequest_AlarmAction: Action, AlarmType } = etcdserverpb;
const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const members = [{ id: 7n, name: "", peerUrls: ["http://127.0.0.1:2380"], clientUrls: [], storeId: 0n }];

const unidentified = { clientId: 0n, sequence: 0, lowestAwaited: 0 };
const noBytes = new Uint8Array(0);

class Replica {
  readonly state: ReplicatedState;
  private index = 1;

  constructor(clock: Clock | null = null) {
    this.state = new ReplicatedState(new MemberDirectory(members), 1, clock);
  }

  apply(command: Uint8Array): ApplyResult {
    this.index++;
    return this.state.apply({ index: this.index, term: 1, kind: "command", data: command }, command, this.index);
  }

  put(
    key: string,
    value: string,
    more: { readonly lease?: bigint; readonly ignoreValue?: boolean; readonly prevKv?: boolean } = {},
  ): ApplyResult {
    const request = { key: text(key), value: text(value), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false, ...more };
    return this.apply(encodeRequestCommand("put", encodePutRequest(request)));
  }

  seed(type: "create" | "update" | "remove", key: string, value = "", identity = unidentified): ApplyResult {
    const request =
      type === "remove"
        ? encodeKeyRequest({ key: text(key), ...identity })
        : encodeKeyValueRequest({ key: text(key), value: text(value), ...identity });
    return this.apply(encodeRequestCommand(type, request));
  }

  compact(revision: bigint): ApplyResult {
    const request = create(etcdserverpb.CompactionRequestSchema, { revision });
    return this.apply(encodeRequestCommand("compaction", toBinary(etcdserverpb.CompactionRequestSchema, request)));
  }

  grant(ID: bigint, TTL: bigint): ApplyResult {
    const request = create(etcdserverpb.LeaseGrantRequestSchema, { ID, TTL });
    return this.apply(encodeRequestCommand("leaseGrant", toBinary(etcdserverpb.LeaseGrantRequestSchema, request)));
  }

  revoke(ID: bigint): ApplyResult {
    const request = create(etcdserverpb.LeaseRevokeRequestSchema, { ID });
    return this.apply(encodeRequestCommand("leaseRevoke", toBinary(etcdserverpb.LeaseRevokeRequestSchema, request)));
  }

  alarm(action: etcdserverpb.AlarmRequest_AlarmAction, alarm: etcdserverpb.AlarmType): ApplyResult {
    const request = create(etcdserverpb.AlarmRequestSchema, { action, memberID: 7n, alarm });
    return this.apply(encodeRequestCommand("alarm", toBinary(etcdserverpb.AlarmRequestSchema, request)));
  }

  txn(request: TxnRequest): ApplyResult {
    return this.apply(encodeRequestCommand("txn", encodeTxnRequest(request)));
  }

  async snapshot(): Promise<Uint8Array> {
    const image = this.state.snapshot(this.index);
    const chunks: Uint8Array[] = [];
    for await (const chunk of image.chunks()) chunks.push(chunk.slice());
    image.close();
    return Buffer.concat(chunks);
  }
}

function putOf(key: string, value: string, lease = 0n): RequestOp {
  const flags = { prevKv: false, ignoreValue: false, ignoreLease: false };
  return { type: "put", request: { key: text(key), value: text(value), lease, ...flags } };
}

function deletionOf(key: string): RequestOp {
  return { type: "deleteRange", request: { key: text(key), rangeEnd: noBytes, prevKv: false } };
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("the replicated state", () => {
  test("runs the seed's four operations", () => {
    const replica = new Replica();
    expect(replica.seed("create", "a", "1")).toEqual({ outcome: "created", revision: 2 });
    expect(replica.seed("create", "a", "2")).toEqual({ outcome: "already-exists", revision: 2 });
    expect(replica.seed("update", "a", "3")).toEqual({ outcome: "updated", revision: 3 });
    expect(replica.seed("update", "b", "4")).toEqual({ outcome: "created", revision: 4 });
    expect(replica.seed("remove", "a")).toEqual({ outcome: "removed", revision: 5 });
    expect(replica.seed("remove", "a")).toEqual({ outcome: "not-found", revision: 5 });
  });

  test("runs etcd's put with its flags", () => {
    const replica = new Replica();
    expect(replica.put("a", "1", { prevKv: true })).toEqual({ outcome: "put", revision: 2, previous: null });
    expect(replica.put("a", "2", { prevKv: true })).toMatchObject({ previous: { value: text("1"), version: 1 } });
    expect(replica.put("a", "", { ignoreValue: true })).toMatchObject({ outcome: "put", revision: 4 });
    expect(replica.state.store.get(text("a"))).toMatchObject({ record: { value: text("2"), version: 3 } });
    expect(replica.put("none", "", { ignoreValue: true })).toEqual({ outcome: "refused", reason: "key-not-found" });
    expect(replica.put("a", "3", { lease: 5n })).toEqual({ outcome: "refused", reason: "lease-not-found" });
    expect(replica.put("none", "", { lease: 5n, ignoreValue: true })).toEqual({ outcome: "refused", reason: "lease-not-found" });
    expect(replica.state.store.revision).toBe(4);
  });

  test("runs a transaction at one revision", () => {
    const replica = new Replica();
    const result = replica.txn({ compare: [], success: [putOf("a", "1"), putOf("b", "2")], failure: [] });
    expect(result).toMatchObject({ outcome: "txn", result: { succeeded: true, revision: 2 } });
    expect(replica.txn({ compare: [], success: [putOf("a", "3", 9n)], failure: [] })).toEqual({
      outcome: "refused",
      reason: "lease-not-found",
    });
    expect(replica.txn({ compare: [], success: [putOf("a", "3"), putOf("a", "4")], failure: [] })).toMatchObject({ reason: "malformed" });
    expect(replica.state.store.revision).toBe(2);
  });

  test("compacts once to a revision, and tells those who follow", () => {
    const replica = new Replica();
    let compactions = 0;
    replica.state.observe({ compacted: () => compactions++ });
    for (const value of ["1", "2", "3"]) replica.put("a", value);
    expect(replica.compact(3n)).toEqual({ outcome: "compacted", revision: 4 });
    expect(replica.compact(3n)).toEqual({ outcome: "refused", reason: "compacted" });
    expect(replica.compact(5n)).toEqual({ outcome: "refused", reason: "future-revision" });
    expect(replica.state.store.compactRevision).toBe(3);
    expect(compactions).toBe(1);
  });

  test("grants leases, hangs keys on them and takes them down together", () => {
    const replica = new Replica();
    const changed: bigint[] = [];
    replica.state.observe({ leaseChanged: (id) => changed.push(id) });
    expect(replica.grant(5n, 10n)).toEqual({ outcome: "lease-granted", revision: 1, id: 5n, ttlSeconds: 10 });
    expect(replica.grant(5n, 10n)).toEqual({ outcome: "refused", reason: "lease-exists" });
    expect(replica.grant(0n, 10n)).toEqual({ outcome: "refused", reason: "malformed" });
    expect(replica.put("a", "1", { lease: 5n })).toMatchObject({ outcome: "put", revision: 2 });
    expect(replica.put("b", "1", { lease: 5n })).toMatchObject({ outcome: "put", revision: 3 });
    expect(replica.revoke(5n)).toEqual({ outcome: "lease-revoked", revision: 4 });
    expect(replica.revoke(5n)).toEqual({ outcome: "refused", reason: "lease-not-found" });
    expect(replica.state.store.keyCount).toBe(0);
    expect(changed).toEqual([5n, 5n]);
  });

  test("ends a lease that ran out only if its leader still leads and has seen this very lease", () => {
    const replica = new Replica();
    replica.grant(5n, 10n);
    const grantNumber = replica.state.store.leases.get(5n)?.grantNumber ?? 0;
    const expire = (more: object): ApplyResult => replica.apply(encodeLeaseExpireCommand({ id: 5n, grantNumber, term: 1, ...more }));
    expect(expire({ term: 2 })).toEqual({ outcome: "refused", reason: "stale-expiry" });
    expect(expire({ grantNumber: grantNumber - 1 })).toEqual({ outcome: "refused", reason: "stale-expiry" });
    expect(expire({})).toEqual({ outcome: "lease-revoked", revision: 1 });
    expect(expire({})).toEqual({ outcome: "refused", reason: "lease-not-found" });
  });

  test("knows a lease from an earlier one of the same id that was granted in the same entry", () => {
    const { state } = new Replica();
    const entry = { index: 9, term: 1, kind: "command" as const, data: new Uint8Array(0) };
    const { LeaseGrantRequestSchema: Grant, LeaseRevokeRequestSchema: Revoke } = etcdserverpb;
    const grant = encodeRequestCommand("leaseGrant", toBinary(Grant, create(Grant, { ID: 5n, TTL: 60n })));
    const revoke = encodeRequestCommand("leaseRevoke", toBinary(Revoke, create(Revoke, { ID: 5n })));
    for (const [place, command] of [grant, revoke, grant].entries()) state.apply(entry, command, 9 * 256 + place);
    const ofTheFirst = encodeLeaseExpireCommand({ id: 5n, grantNumber: 9 * 256, term: 1 });
    expect(state.apply({ ...entry, index: 10 }, ofTheFirst, 10 * 256)).toEqual({ outcome: "refused", reason: "stale-expiry" });
    expect(state.store.leases.get(5n)?.grantNumber).toBe(9 * 256 + 2);
  });

  test("takes what members say about themselves", () => {
    const replica = new Replica();
    const attributes = { memberId: 7n, name: "n1", clientUrls: ["http://127.0.0.1:2379"], storeId: 5n };
    expect(replica.apply(encodeMemberAttributesCommand(attributes))).toEqual({ outcome: "attributes-set" });
    expect(replica.state.directory.get(7n)?.name).toBe("n1");
    expect(replica.apply(encodeMemberAttributesCommand({ ...attributes, memberId: 8n }))).toMatchObject({ reason: "unknown-member" });
    expect(replica.apply(encodeMemberAttributesCommand({ ...attributes, storeId: 6n }))).toMatchObject({ reason: "store-replaced" });
    expect(replica.state.directory.get(7n)?.storeId).toBe(5n);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["bytes that are no command", new Uint8Array([0xff, 0xff, 0xff])],
    ["a put without a key", encodeRequestCommand("put", new Uint8Array(0))],
  ])("refuses an entry that holds %s, and changes nothing", (_what, command) => {
    const replica = new Replica();
    expect(replica.apply(command)).toEqual({ outcome: "refused", reason: "malformed" });
    expect(replica.state.store.revision).toBe(1);
  });
});

describe("an operation that a client sends again", () => {
  const first = { clientId: 9n, sequence: 1, lowestAwaited: 1 };

  test("is answered as the first time, and done once", () => {
    const replica = new Replica();
    expect(replica.seed("create", "a", "1", first)).toEqual({ outcome: "created", revision: 2 });
    replica.put("b", "1");
    expect(replica.seed("create", "a", "1", first)).toEqual({ outcome: "created", revision: 2 });
    expect(replica.seed("create", "a", "1", { ...first, sequence: 2 })).toEqual({ outcome: "already-exists", revision: 3 });
  });

  test("is recognised after a restore", async () => {
    const replica = new Replica();
    replica.seed("remove", "none", "", first);
    const restored = new Replica();
    await restored.state.restore(inPieces(await replica.snapshot(), 4096));
    restored.put("none", "1");
    expect(restored.seed("remove", "none", "", first)).toEqual({ outcome: "not-found", revision: 1 });
  });

  test("is refused if nobody knows any more whether it was done", () => {
    const replica = new Replica();
    replica.seed("update", "a", "1", first);
    replica.seed("update", "a", "2", { clientId: 9n, sequence: 2, lowestAwaited: 2 });
    expect(replica.seed("update", "a", "1", first)).toEqual({ outcome: "refused", reason: "result-forgotten" });
    expect(replica.seed("update", "a", "1", { clientId: 8n, sequence: 7, lowestAwaited: 6 })).toMatchObject({ reason: "session-expired" });
    expect(replica.state.store.find(text("a"))?.value).toEqual(text("2"));
  });

  test("is done later if an alarm refused it", () => {
    const replica = new Replica();
    replica.alarm(Action.ACTIVATE, AlarmType.NOSPACE);
    expect(replica.seed("create", "a", "1", first)).toEqual({ outcome: "refused", reason: "no-space" });
    replica.alarm(Action.DEACTIVATE, AlarmType.NOSPACE);
    expect(replica.seed("create", "a", "1", first)).toEqual({ outcome: "created", revision: 2 });
  });
});

describe("an alarm", () => {
  const allOperations = (replica: Replica): Readonly<Record<string, ApplyResult>> => ({
    put: replica.put("a", "1"),
    create: replica.seed("create", "c", "1"),
    update: replica.seed("update", "c", "1"),
    txnWithPut: replica.txn({
      compare: [],
      success: [],
      failure: [{ type: "txn", request: { compare: [], success: [putOf("a", "1")], failure: [] } }],
    }),
    grant: replica.grant(6n, 10n),
    txnWithoutPut: replica.txn({ compare: [], success: [deletionOf("x")], failure: [] }),
    remove: replica.seed("remove", "x"),
    deleteRange: replica.apply(
      encodeRequestCommand("deleteRange", encodeDeleteRangeRequest({ key: text("x"), rangeEnd: noBytes, prevKv: false })),
    ),
    revoke: replica.revoke(5n),
    compact: replica.compact(2n),
  });
  const refusals = (results: Readonly<Record<string, ApplyResult>>): string[] =>
    Object.entries(results).flatMap(([name, result]) => (result.outcome === "refused" ? [`${name} ${result.reason}`] : []));

  test("NOSPACE refuses what takes space, and nothing else", () => {
    const replica = new Replica();
    replica.grant(5n, 10n);
    replica.put("k", "1");
    replica.alarm(Action.ACTIVATE, AlarmType.NOSPACE);
    expect(refusals(allOperations(replica))).toEqual(["put", "create", "update", "txnWithPut", "grant"].map((name) => `${name} no-space`));
    expect(replica.alarm(Action.DEACTIVATE, AlarmType.NOSPACE)).toEqual({
      outcome: "alarms",
      alarms: [{ memberId: 7n, kind: AlarmType.NOSPACE }],
    });
    expect(replica.put("a", "1")).toMatchObject({ outcome: "put" });
  });

  test("CORRUPT refuses every change of the store", () => {
    const replica = new Replica();
    replica.grant(5n, 10n);
    replica.put("k", "1");
    replica.alarm(Action.ACTIVATE, AlarmType.CORRUPT);
    const results = allOperations(replica);
    expect(refusals(results)).toEqual(Object.keys(results).map((name) => `${name} corrupt-cluster`));
  });

  test("is in snapshots", async () => {
    const replica = new Replica();
    replica.alarm(Action.ACTIVATE, AlarmType.CORRUPT);
    const restored = new Replica();
    await restored.state.restore(inPieces(await replica.snapshot(), 4096));
    expect(restored.state.alarms.all).toEqual([{ memberId: 7n, kind: AlarmType.CORRUPT }]);
  });
});

test("a command of a newer version is never skipped", () => {
  const replica = new Replica();
  expect(() => replica.apply(new Uint8Array([0x7a, 0x00]))).toThrow(/Command of field 15 is not known/);
});

describe("a snapshot of the state", () => {
  async function filled(): Promise<Replica> {
    const replica = new Replica();
    replica.apply(encodeMemberAttributesCommand({ memberId: 7n, name: "n1", clientUrls: ["http://127.0.0.1:2379"], storeId: 2n ** 63n }));
    for (let at = 0; at < 500; at++) replica.put(`key-${(at * 37) % 100}`, `value ${at}`);
    return replica;
  }

  test("is the same on every member, and after a restore in pieces of any size", async () => {
    const [one, other] = [await filled(), await filled()];
    const bytes = await one.snapshot();
    expect(await other.snapshot()).toEqual(bytes);
    for (const size of [1, 7, 4096, bytes.length]) {
      const restored = new Replica();
      await restored.state.restore(inPieces(bytes, size));
      expect(await restored.snapshot()).toEqual(bytes);
      expect(restored.state.directory.get(7n)).toMatchObject({ name: "n1", storeId: 2n ** 63n });
      expect(restored.state.store.revision).toBe(one.state.store.revision);
    }
  });

  test("that is cut off or damaged is refused, and the state stays what it was", async () => {
    const bytes = await (await filled()).snapshot();
    const replica = new Replica();
    replica.put("own", "state");
    for (const end of [0, 3, 10, 60, bytes.length - 1]) {
      await expect(replica.state.restore(inPieces(bytes.subarray(0, end), 64))).rejects.toThrow(/cut off/);
    }
    const damaged = bytes.slice();
    damaged.set([0xff, 0xff, 0xff, 0xff], 0);
    await expect(replica.state.restore(inPieces(damaged, 64))).rejects.toThrow(/above the limit/);
    expect(replica.state.store.get(text("own")).outcome).toBe("found");
    expect(replica.state.directory.get(7n)?.name).toBe("");
  });
});

test("commands that take longer than 100 ms are counted, and single puts are not timed", () => {
  const clock = new ManualClock();
  let looks = 0;
  let stepMs = 100;
  const replica = new Replica(Object.assign(clock, { monotonicMs: () => looks++ * stepMs }));
  replica.put("a", "1");
  expect(looks).toBe(0);
  replica.grant(5n, 10n);
  expect([looks, replica.state.slowCommands]).toEqual([2, 0]);
  stepMs = 101;
  replica.compact(2n);
  expect(replica.state.slowCommands).toBe(1);
});

test("everything that was compacted is given back at once when it is asked to, as between the parts of a log that is replayed", () => {
  const replica = new Replica();
  for (let count = 0; count < 5_000; count++) replica.put("key", `value ${count}`);
  const { store } = replica.state;
  replica.compact(BigInt(store.revision));
  const before = store.usedBytes;
  expect(store.reclaimedVersions).toBe(0);
  replica.state.reclaim();
  expect(store.reclaimedVersions).toBe(4_999);
  expect(store.usedBytes).toBeLessThan(before / 2);
});
