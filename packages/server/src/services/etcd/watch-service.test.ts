import { etcdserverpb } from "@raftkv/api";
import { StatusCode } from "@raftkv/raft-rpc";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { electionMs, maxRequestBytes, type OpenWatch, text, WatchedMember } from "../../testing/watched-member.ts";
import { beginDelayMs } from "../../watch/watch-call.ts";

const { WatchCreateRequest_FilterType: Filter } = etcdserverpb;
const noBytes = new Uint8Array(0);
/** Fills the windows and queues of a client that does not read. */
const large = new Uint8Array(60_000).fill(1);

let member: WatchedMember;
let watch: OpenWatch;

beforeEach(async () => {
  await start(new WatchedMember());
});

afterEach(() => member.close());

async function start(other: WatchedMember): Promise<void> {
  member = other;
  await member.listen();
  watch = await member.client().open();
}

/** The parts of a response that tests compare. */
function summary(response: etcdserverpb.WatchResponse | undefined) {
  if (response === undefined) return undefined;
  const { header, watchId, created, canceled, compactRevision, cancelReason, fragment, events } = response;
  const flags = { created, canceled, fragment };
  const set = Object.fromEntries(Object.entries(flags).filter(([, value]) => value));
  return {
    watchId,
    revision: header?.revision,
    ...set,
    ...(compactRevision === 0n ? {} : { compactRevision }),
    ...(cancelReason === "" ? {} : { cancelReason }),
    ...(events.length === 0 ? {} : { events: events.length }),
  };
}

async function summaries() {
  await member.run();
  return watch.taken().map(summary);
}

async function events(): Promise<string[]> {
  await member.run();
  return watch.takenEvents();
}

describe("a watcher", () => {
  test("is confirmed with the current revision, and gets what happens from then on", async () => {
    member.put("a");
    watch.create("a");
    expect(await summaries()).toEqual([{ watchId: 0n, revision: 2n, created: true }]);
    member.put("a", "new");
    await member.run();
    member.put("b");
    await member.run();
    const [response, ...others] = watch.taken();
    expect(others).toEqual([]);
    expect(response?.header).toMatchObject({ clusterId: 5n, memberId: 6n, revision: 3n, raftTerm: 7n });
    expect(response?.events).toMatchObject([{ type: 0, kv: { createRevision: 2n, modRevision: 3n, version: 2n } }]);
    expect(response?.events[0]?.prevKv).toBe(undefined);
    expect(text(response?.events[0]?.kv?.value ?? noBytes)).toBe("new");
  });

  test("of a deletion gets the key and its revision, and what was there if it wants that", async () => {
    member.put("a", "old");
    watch.create("a", { prevKv: true });
    await member.run();
    member.delete("a");
    member.put("a");
    await member.run();
    const [, deletion, creation] = watch.taken();
    const { type, kv, prevKv } = deletion?.events[0] ?? {};
    expect([type, kv?.modRevision, kv?.createRevision, kv?.version, kv?.value.length]).toEqual([1, 3n, 0n, 0n, 0]);
    expect(text(prevKv?.value ?? noBytes)).toBe("old");
    expect(creation?.events[0]?.prevKv).toBe(undefined);
  });

  test("from a past revision on gets that one too, in one response with the current revision", async () => {
    for (const key of ["a", "b", "a", "c"]) member.put(key);
    watch.create("a", { startRevision: 2n });
    await member.run();
    expect(watch.responses.map(summary)).toEqual([{ watchId: 0n, revision: 5n, created: true }]);
    await member.run(beginDelayMs);
    expect(watch.responses.map(summary)).toEqual([
      { watchId: 0n, revision: 5n, created: true },
      { watchId: 0n, revision: 5n, events: 2 },
    ]);
    expect(watch.takenEvents()).toEqual(["0: PUT a@2", "0: PUT a@4"]);
  });

  test("of a range gets all changes of a revision at once", async () => {
    for (const key of ["p/a", "p/b", "q"]) member.put(key);
    watch.create("p/", { rangeEnd: "p0" });
    await member.run();
    watch.taken();
    member.delete("a", "z");
    expect(await summaries()).toEqual([{ watchId: 0n, revision: 5n, events: 2 }]);
  });

  test("with filters gets only the other kind of events", async () => {
    watch.create("a", { filters: [Filter.NOPUT] });
    watch.create("a", { filters: [Filter.NODELETE] });
    await member.run();
    member.put("a");
    member.delete("a");
    expect(await events()).toEqual(["1: PUT a@2", "0: DELETE a@3"]);
  });

  test("whose start is compacted is confirmed, told so without a revision, and can still be cancelled", async () => {
    for (let i = 0; i < 5; i++) member.put("a");
    member.compact(4);
    watch.create("a", { startRevision: 3n });
    await member.run(beginDelayMs);
    watch.cancel(0n);
    expect(await summaries()).toEqual([
      { watchId: 0n, revision: 6n, created: true },
      { watchId: 0n, revision: 0n, canceled: true, compactRevision: 4n },
      { watchId: 0n, revision: 6n, canceled: true },
    ]);
  });

  test("that is cancelled gets nothing more", async () => {
    watch.create("a");
    await member.run();
    watch.cancel(0n);
    watch.cancel(9n);
    await member.run();
    member.put("a");
    expect((await summaries()).slice(1)).toEqual([{ watchId: 0n, revision: 1n, canceled: true }]);
  });

  test("that can't be is refused with id -1, and the stream lives on", async () => {
    watch.create("b", { rangeEnd: "a" });
    watch.create("a", { watchId: 3n });
    watch.create("a", { watchId: 3n });
    member.put("a");
    expect(await summaries()).toEqual([
      { watchId: -1n, revision: 2n, created: true, canceled: true, cancelReason: "mvcc: watcher range is empty" },
      { watchId: 3n, revision: 2n, created: true },
      { watchId: -1n, revision: 2n, created: true, canceled: true, cancelReason: "mvcc: duplicate watch ID provided on the WatchStream" },
    ]);
    member.put("a");
    expect(await events()).toEqual(["3: PUT a@3"]);
  });
});

describe("a client that reads slowly", () => {
  test("delays nobody else, holds a bounded number of bytes, and gets everything in order when it reads", async () => {
    const other = await member.client().open();
    other.create("a");
    watch.create("a");
    await member.run();
    watch.call.pause();
    const count = 400;
    for (let i = 0; i < count; i++) {
      member.put("a", large);
      if (i % 10 === 0) await member.run();
    }
    await member.run();
    expect(other.takenEvents()).toHaveLength(count);
    expect(member.watches.hub.slowCount).toBe(1);
    const heldCount = watch.responses.flatMap((response) => response.events).length;
    expect(heldCount).toBeLessThan(40);
    watch.call.resume();
    expect(await events()).toEqual(Array.from({ length: count }, (_, i) => `0: PUT a@${i + 2}`));
    expect(member.watches.hub.slowCount).toBe(0);
  });

  test("is told when compaction has overtaken its watcher", async () => {
    watch.create("a");
    await member.run();
    watch.call.pause();
    for (let i = 0; i < 200; i++) {
      member.put("a", large);
      await member.run();
    }
    member.compact(201);
    watch.call.resume();
    await member.run();
    expect(summary(watch.responses.at(-1))).toEqual({ watchId: 0n, revision: 0n, canceled: true, compactRevision: 201n });
  });

  test("has its requests read when it reads again", async () => {
    watch.create("a");
    await member.run();
    watch.call.pause();
    for (let i = 0; i < 100; i++) {
      member.put("a", large);
      await member.run();
    }
    watch.create("b");
    await member.run();
    expect(member.watches.hub.watcherCount).toBe(1);
    watch.call.resume();
    await member.run();
    expect(member.watches.hub.watcherCount).toBe(2);
    expect(watch.responses.filter(({ created }) => created).map(({ watchId }) => watchId)).toEqual([0n, 1n]);
  });
});

describe("a response that is large", () => {
  const fragmentBytes = maxRequestBytes + 512 * 1024;

  async function deletedRange(fragment: boolean): Promise<etcdserverpb.WatchResponse[]> {
    for (let i = 0; i < 30; i++) member.put(`k${i}`, large);
    watch.create("k", { rangeEnd: "l", prevKv: true, fragment });
    await member.run();
    watch.taken();
    member.delete("k", "l");
    await member.run();
    return watch.taken();
  }

  test("comes in parts to who allows it, all but the last marked", async () => {
    const parts = await deletedRange(true);
    expect(parts.map(({ fragment }) => fragment)).toEqual([true, true, true, false]);
    for (const { events: part } of parts) {
      expect(part.reduce((sum, { prevKv }) => sum + (prevKv?.value.length ?? 0), 0)).toBeLessThan(fragmentBytes);
    }
    expect(parts.flatMap((part) => part.events)).toHaveLength(30);
    expect(new Set(parts.map(({ header }) => header?.revision))).toEqual(new Set([32n]));
  });

  test("comes whole to everybody else", async () => {
    expect((await deletedRange(false)).map(summary)).toEqual([{ watchId: 0n, revision: 32n, events: 30 }]);
  });
});

describe("progress", () => {
  test("that is asked for is told for all watchers once they have everything", async () => {
    watch.requestProgress();
    expect(await summaries()).toEqual([]);
    member.put("a");
    watch.create("a");
    watch.create("b", { startRevision: 1n });
    await member.run(beginDelayMs);
    watch.taken();
    watch.requestProgress();
    expect(await summaries()).toEqual([{ watchId: -1n, revision: 2n }]);
  });

  test("comes once in an interval to a watcher that wants it and got nothing else, and to no other", async () => {
    await member.close();
    await start(new WatchedMember({ progressNotifyMs: 1_000 }));
    watch.create("a", { progressNotify: true });
    watch.create("b");
    await member.run();
    watch.taken();
    member.put("c");
    await member.run(1_060);
    expect(watch.taken().map(summary)).toEqual([{ watchId: 0n, revision: 2n }]);
    member.put("a");
    await member.run(1_060);
    expect(watch.taken().map(summary)).toEqual([{ watchId: 0n, revision: 3n, events: 1 }]);
    await member.run(2_120);
    expect(await summaries()).toEqual([
      { watchId: 0n, revision: 3n },
      { watchId: 0n, revision: 3n },
    ]);
    watch.cancel(0n);
    await member.run();
    watch.taken();
    await member.run(10_000);
    expect(watch.taken()).toEqual([]);
  });
});

describe("a call", () => {
  test("goes on after its client has said everything", async () => {
    watch.create("a");
    watch.call.end();
    await member.run();
    watch.taken();
    member.put("a");
    expect(await events()).toEqual(["0: PUT a@2"]);
  });

  test("that is cancelled leaves nothing behind", async () => {
    watch.create("a", { progressNotify: true });
    await member.run();
    watch.call.cancel();
    await member.run();
    expect([member.watches.hub.watcherCount, member.watches.service.callCount]).toEqual([0, 0]);
    member.put("a");
    await member.run(2_000_000);
  });

  test("ends at its deadline", async () => {
    const other = await member.client().open({ timeoutMs: 500 });
    other.create("a");
    await member.run(1_000);
    expect(other.error).toMatchObject({ code: StatusCode.DEADLINE_EXCEEDED });
    expect(member.watches.hub.watcherCount).toBe(0);
  });

  test("is ended by bytes that are no request", async () => {
    watch.call.send(Uint8Array.of(0x0a, 0x7f));
    await member.run();
    expect(watch.error).toMatchObject({
      code: StatusCode.INTERNAL,
      message: "grpc: error unmarshalling request: Length 127 is more than the 0 bytes left",
    });
  });

  test("is ended when the member stops, so that its client goes elsewhere", async () => {
    watch.create("a");
    await member.run();
    member.watches.close();
    await member.run();
    expect(watch.error).toMatchObject({ code: StatusCode.UNAVAILABLE, message: "etcdserver: server stopped" });
    const late = await member.client().open();
    await member.run();
    expect(late.error).toMatchObject({ code: StatusCode.UNAVAILABLE, message: "etcdserver: server stopped" });
  });

  test.each([
    ["repairing", "raftkv: this member lost entries and does not have all of them again, ask another one"],
    ["quarantined", "raftkv: this member can't trust its data and takes no part, ask another one"],
  ] as const)("is refused by a member that is %s", async (memberState, message) => {
    member.node.memberState = memberState;
    const refused = await member.client().open();
    await member.run();
    expect(refused.error).toMatchObject({ code: StatusCode.UNAVAILABLE, message });
  });

  test("is ended by a member that finds that it can't trust its data", async () => {
    watch.create("a");
    await member.run(5_000);
    expect(watch.error).toBe(undefined);
    member.node.memberState = "quarantined";
    await member.run(1_000);
    expect(watch.error).toMatchObject({ code: StatusCode.UNAVAILABLE });
  });

  test("that wants a leader ends after three election time-outs without one, others go on", async () => {
    const strict = await member.client().open({ hasLeader: true });
    strict.create("a");
    await member.run();
    member.node.leader = 0;
    await member.run(2.5 * electionMs);
    member.node.leader = 2;
    await member.run(electionMs);
    member.node.leader = 0;
    await member.run(2.4 * electionMs);
    expect(strict.error).toBe(undefined);
    await member.run(electionMs);
    expect(strict.error).toMatchObject({ code: StatusCode.UNAVAILABLE, message: "etcdserver: no leader" });
    expect(watch.error).toBe(undefined);
  });
});

test("watchers of one key in many streams all get each event", async () => {
  const others = await Promise.all(Array.from({ length: 50 }, () => member.client().open()));
  for (const other of others) other.create("a");
  await member.run();
  for (const other of others) other.taken();
  for (let i = 0; i < 3; i++) {
    member.put("a");
    await member.run();
  }
  member.node.term = 8;
  member.put("a");
  await member.run();
  for (const other of others) {
    expect(other.responses.map(({ header }) => header?.raftTerm)).toEqual([7n, 7n, 7n, 8n]);
    expect(other.takenEvents()).toEqual([2, 3, 4, 5].map((revision) => `0: PUT a@${revision}`));
  }
});

test("a snapshot that replaces the state takes nothing from a watcher that it does not compact", async () => {
  const later = new WatchedMember();
  member.put("a");
  for (const key of ["a", "b", "a"]) later.put(key);
  watch.create("a");
  await member.run();
  watch.taken();
  const snapshot = later.state.snapshot(4);
  await member.state.restore(snapshot.chunks());
  snapshot.close();
  member.put("a");
  expect(await events()).toEqual(["0: PUT a@4", "0: PUT a@5"]);
});
