import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import type { RaftKVClient } from "../../raftkv-client.ts";
import { ScriptedCluster } from "../../testing/scripted-cluster.ts";
import { type ScriptedEvent, ScriptedWatchService, type ScriptedWatchStream } from "../../testing/scripted-watch-service.ts";
import type { Watch, WatchBatch } from "./watch-types.ts";

const first = "127.0.0.1:1001";
const second = "127.0.0.1:1002";
const text = new TextDecoder();

const put = (key: string, revision: number): ScriptedEvent => ({ type: "put", key, revision });

/** What a loop has read so far, and how it ended. */
class Reading {
  readonly seen: string[] = [];
  readonly batches: WatchBatch[] = [];
  readonly end: Promise<unknown>;

  constructor(watch: Watch) {
    this.end = this.#read(watch);
  }

  async #read(watch: Watch): Promise<unknown> {
    try {
      for await (const batch of watch) {
        this.batches.push(batch);
        for (const { type, kv } of batch.events) this.seen.push(`${type} ${text.decode(kv.key)}@${kv.modRevision}`);
      }
      return "ended";
    } catch (error) {
      return error;
    }
  }
}

/** Two members of which the client asks the first first, with their Watch services. */
class Scene {
  readonly cluster = new ScriptedCluster();
  readonly members = [this.cluster.member(first), this.cluster.member(second)] as const;
  readonly one = new ScriptedWatchService(this.members[0].dispatcher);
  readonly two = new ScriptedWatchService(this.members[1].dispatcher);
  readonly client: RaftKVClient;

  constructor(endpoints: readonly string[] = [first]) {
    this.client = this.cluster.client({ endpoints });
  }

  watch(...args: Parameters<RaftKVClient["etcd"]["watch"]>): Watch {
    return this.client.etcd.watch(...args);
  }

  /** Lets everything happen that is on its way. */
  settle(): Promise<void> {
    return this.cluster.clock.pass(1);
  }

  /** The only stream, at whichever member. */
  get stream(): ScriptedWatchStream {
    return [...this.one.streams, ...this.two.streams].find((stream) => !stream.ended) ?? this.one.last;
  }
}

describe("a watch", () => {
  test("tells events in their order, with the revision up to which all were told", async () => {
    const scene = new Scene();
    const watch = scene.watch({ prefix: "a/" });
    const reading = new Reading(watch);
    await scene.settle();
    expect(scene.stream.requests).toEqual(["create a/ from 0"]);
    scene.stream.created(7, 10);
    expect(await scene.cluster.clock.settle(watch.created)).toBe(10);
    expect(watch.nextRevision).toBe(11);
    scene.stream.events(7, [put("a/1", 11)]);
    scene.stream.events(7, [put("a/2", 12), { type: "delete", key: "a/1", revision: 12 }]);
    await scene.settle();
    expect(reading.seen).toEqual(["put a/1@11", "put a/2@12", "delete a/1@12"]);
    expect(reading.batches.map(({ revision }) => revision)).toEqual([11, 12]);
    watch.close();
    expect(await scene.cluster.clock.settle(reading.end)).toBe("ended");
  });

  test("asks for a member that has a leader, so that one that is cut off ends it", async () => {
    const scene = new Scene();
    scene.watch("a");
    await scene.settle();
    expect(scene.stream.hasLeader).toBe(true);
  });

  test("goes on at another member from the first revision that it was not told", async () => {
    const scene = new Scene([first, second]);
    const reading = new Reading(scene.watch("a", { startRevision: 5 }));
    await scene.settle();
    const [lost, other] = scene.one.streams.length === 1 ? [scene.one, scene.two] : [scene.two, scene.one];
    lost.last.created(0, 4);
    lost.last.events(0, [put("a", 5), put("a", 8)]);
    await scene.settle();
    lost.last.outbox.end(new RpcError(StatusCode.UNAVAILABLE, "etcdserver: no leader"));
    await scene.cluster.clock.pass(50);
    expect(other.last.requests).toEqual(["create a from 9"]);
    other.last.created(3, 20);
    other.last.events(3, [put("a", 9)]);
    await scene.settle();
    expect(reading.seen).toEqual(["put a@5", "put a@8", "put a@9"]);
  });

  test("survives any number of connections that break, and a server that ends streams without an error", async () => {
    const scene = new Scene();
    const reading = new Reading(scene.watch("a"));
    for (let round = 0; round < 20; round++) {
      await scene.cluster.clock.pass(2_000);
      scene.stream.created(0, 10);
      scene.stream.events(0, [put("a", 100 + round)]);
      await scene.settle();
      if (round % 2 === 0) scene.members[0].cutConnections();
      else scene.stream.outbox.end();
    }
    expect(reading.seen).toEqual(Array.from({ length: 20 }, (_, round) => `put a@${100 + round}`));
    expect(scene.one.streams.map(({ requests }) => requests[0])).toEqual([
      "create a from 0",
      ...Array.from({ length: 19 }, (_, round) => `create a from ${101 + round}`),
    ]);
  });

  test("asks another member when one takes the request and does not answer", async () => {
    const scene = new Scene([first, second]);
    scene.watch("a");
    await scene.settle();
    const silent = scene.stream;
    await scene.cluster.clock.pass(5_200);
    expect(silent.ended).toBe(true);
    expect([scene.one.streams.length, scene.two.streams.length]).toEqual([1, 1]);
  });

  test("does not miss what happens before it is created anew, though it began with now", async () => {
    const scene = new Scene();
    const watch = scene.watch("a");
    await scene.settle();
    scene.stream.created(0, 10);
    await scene.settle();
    scene.members[0].cutConnections();
    await scene.cluster.clock.pass(50);
    expect(scene.one.last.requests).toEqual(["create a from 11"]);
    expect(watch.nextRevision).toBe(11);
  });

  test("moves on with progress, and tells it only to those who asked", async () => {
    const scene = new Scene();
    const asked = new Reading(scene.watch("a", { progressNotify: true }));
    const watch = scene.watch("b");
    const notAsked = new Reading(watch);
    await scene.settle();
    scene.stream.created(0, 10);
    scene.stream.created(1, 10);
    scene.stream.progress(0, 50);
    scene.stream.progress(1, 50);
    await scene.settle();
    expect(asked.batches).toMatchObject([{ revision: 50, events: [] }]);
    expect(notAsked.batches).toEqual([]);
    expect(watch.nextRevision).toBe(51);
  });

  test("answers a request for progress to those who asked, without going on from there", async () => {
    const scene = new Scene();
    const watch = scene.watch("a");
    const reading = new Reading(watch);
    const other = new Reading(scene.watch("b"));
    await scene.settle();
    scene.stream.created(0, 10);
    scene.stream.created(1, 10);
    await scene.settle();
    watch.requestProgress();
    await scene.settle();
    expect(scene.stream.requests.at(-1)).toBe("progress");
    scene.stream.progress(-1, 60);
    await scene.settle();
    expect(reading.batches).toMatchObject([{ revision: 60, events: [] }]);
    expect(other.batches).toEqual([]);
    expect(watch.nextRevision).toBe(11);
  });
});

describe("what a watch cannot survive is told by its loop", () => {
  test("history that is gone, with the oldest revision that is left", async () => {
    const scene = new Scene();
    const reading = new Reading(scene.watch("a", { startRevision: 3 }));
    await scene.settle();
    scene.stream.created(0, 100);
    scene.stream.events(0, [put("a", 3)]);
    scene.stream.cancelled(0, { compactRevision: 90 });
    expect(await scene.cluster.clock.settle(reading.end)).toMatchObject({
      name: "WatchCompactedError",
      code: "ERR_COMPACTED",
      compactRevision: 90,
    });
    expect(reading.seen).toEqual(["put a@3"]);
  });

  test("a refusal, in the server's own words, also by `created`", async () => {
    const scene = new Scene();
    const watch = scene.watch("a");
    const reading = new Reading(watch);
    await scene.settle();
    scene.stream.refused("rpc error: code = PermissionDenied desc = etcdserver: permission denied");
    expect(await scene.cluster.clock.settle(reading.end)).toMatchObject({
      code: "ERR_REJECTED",
      message: expect.stringContaining("etcdserver: permission denied"),
    });
    await expect(watch.created).rejects.toMatchObject({ code: "ERR_REJECTED" });
  });

  test("a stream that every member would end in the same way", async () => {
    const scene = new Scene();
    const reading = new Reading(scene.watch("a"));
    await scene.settle();
    scene.stream.outbox.end(new RpcError(StatusCode.PERMISSION_DENIED, "etcdserver: permission denied"));
    expect(await scene.cluster.clock.settle(reading.end)).toMatchObject({
      code: "ERR_REJECTED",
      status: { code: StatusCode.PERMISSION_DENIED },
    });
  });

  test("the end of the client", async () => {
    const scene = new Scene();
    const reading = new Reading(scene.watch("a"));
    await scene.settle();
    scene.client.close();
    expect(await scene.cluster.clock.settle(reading.end)).toMatchObject({ code: "ERR_CLOSED" });
    expect(() => scene.watch("b")).toThrow("The client is closed");
  });
});

describe("many watches", () => {
  test("share one stream, each with its own events", async () => {
    const scene = new Scene();
    const readings = Array.from({ length: 300 }, (_, place) => new Reading(scene.watch(`key-${place}`)));
    await scene.settle();
    expect(scene.one.streams).toHaveLength(1);
    expect(scene.stream.requests).toHaveLength(300);
    for (let place = 0; place < 300; place++) scene.stream.created(place, 10);
    for (let place = 0; place < 300; place++) scene.stream.events(place, [put(`key-${place}`, 11 + place)]);
    await scene.settle();
    expect(readings.map(({ seen }) => seen)).toEqual(readings.map((_, place) => [`put key-${place}@${11 + place}`]));
  });

  test("the stream ends with the last of them, and begins anew with the next", async () => {
    const scene = new Scene();
    const watches = [scene.watch("a"), scene.watch("b")] as const;
    await scene.settle();
    const { stream } = scene;
    stream.created(0, 10);
    stream.created(1, 10);
    await scene.settle();
    watches[0].close();
    await scene.settle();
    expect(stream.requests.at(-1)).toBe("cancel 0");
    expect(stream.ended).toBe(false);
    watches[1].close();
    await scene.settle();
    expect(stream.ended).toBe(true);
    scene.watch("c");
    await scene.settle();
    expect(scene.one.streams).toHaveLength(2);
  });

  test("one that is closed before it was created is cancelled then, and no later one takes its events", async () => {
    const scene = new Scene();
    const closed = scene.watch("a");
    const reading = new Reading(scene.watch("b"));
    await scene.settle();
    closed.close();
    scene.stream.created(0, 10);
    scene.stream.created(1, 10);
    scene.stream.events(0, [put("a", 11)]);
    scene.stream.events(1, [put("b", 12)]);
    await scene.settle();
    expect(scene.stream.requests).toEqual(["create a from 0", "create b from 0", "cancel 0"]);
    expect(reading.seen).toEqual(["put b@12"]);
  });

  test("a signal ends its watch, also one that has aborted before", async () => {
    const scene = new Scene();
    const controller = new AbortController();
    const running = new Reading(scene.watch("a", { signal: controller.signal }));
    await scene.settle();
    controller.abort();
    expect(await scene.cluster.clock.settle(running.end)).toBe("ended");
    const late = new Reading(scene.watch("a", { signal: controller.signal }));
    expect(await scene.cluster.clock.settle(late.end)).toBe("ended");
  });

  test("leaving the loop closes the watch", async () => {
    const scene = new Scene();
    const watch = scene.watch("a");
    const other = scene.watch("b");
    const left = (async () => {
      for await (const { events } of watch) return events.length;
      return 0;
    })();
    await scene.settle();
    scene.stream.created(0, 10);
    scene.stream.created(1, 10);
    scene.stream.events(0, [put("a", 11)]);
    expect(await scene.cluster.clock.settle(left)).toBe(1);
    await scene.settle();
    expect(scene.stream.requests.at(-1)).toBe("cancel 0");
    other.close();
  });

  test("there may be as many as the client may have calls", async () => {
    const scene = new Scene();
    const client = scene.cluster.client({ endpoints: [first], inFlightMax: 2 });
    const watches = [client.etcd.watch("a"), client.etcd.watch("b")];
    expect(() => client.etcd.watch("c")).toThrow("2 calls are running, which is the limit");
    watches[0]?.close();
    client.etcd.watch("c");
  });
});

describe("a reader that is slow", () => {
  const bufferBytesMax = 2_000;

  test("is parked at the server, holds no one up, and misses nothing", async () => {
    const scene = new Scene();
    const slow = scene.watch("a", { startRevision: 1, bufferBytesMax });
    const quick = new Reading(scene.watch("b", { startRevision: 1 }));
    await scene.settle();
    scene.stream.created(0, 10);
    scene.stream.created(1, 10);
    for (let revision = 1; revision <= 50; revision++) scene.stream.events(0, [put("a", revision)]);
    for (let revision = 1; revision <= 50; revision++) scene.stream.events(1, [put("b", revision)]);
    await scene.settle();
    expect(quick.seen).toHaveLength(50);
    expect(scene.stream.requests.at(-1)).toBe("cancel 0");
    const iterator = slow[Symbol.asyncIterator]();
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      const result = await scene.cluster.clock.settle(iterator.next());
      if (result.done !== true) seen.push(...result.value.events.map(({ kv }) => kv.modRevision));
    };
    while (!scene.stream.requests.at(-1)?.startsWith("create")) {
      await read();
      await scene.settle();
    }
    const next = slow.nextRevision;
    expect(scene.stream.requests.at(-1)).toBe(`create a from ${next}`);
    expect(next).toBeLessThan(20);
    scene.stream.created(2, 50);
    scene.stream.events(
      2,
      Array.from({ length: 51 - next }, (_, place) => put("a", next + place)),
    );
    await scene.settle();
    while (seen.at(-1) !== 50) await read();
    expect(seen).toEqual(Array.from({ length: 50 }, (_, place) => place + 1));
  });

  test("learns that what it would need next is compacted, after what it has", async () => {
    const scene = new Scene();
    const watch = scene.watch("a", { startRevision: 1, bufferBytesMax });
    await scene.settle();
    scene.stream.created(0, 10);
    for (let revision = 1; revision <= 50; revision++) scene.stream.events(0, [put("a", revision)]);
    await scene.settle();
    const reading = new Reading(watch);
    await scene.settle();
    const { stream } = scene;
    stream.created(1, 50);
    stream.cancelled(1, { compactRevision: 40 });
    expect(await scene.cluster.clock.settle(reading.end)).toMatchObject({ code: "ERR_COMPACTED" });
    expect(reading.seen.length).toBeGreaterThan(2);
  });

  test("is parked too when all watches together have too much, and each misses nothing", async () => {
    const cluster = new ScriptedCluster();
    const service = new ScriptedWatchService(cluster.member(first).dispatcher);
    const client = cluster.client({ endpoints: [first], watchBytesMax: 5_000 });
    const watches = Array.from({ length: 5 }, () => client.etcd.watch("a", { startRevision: 1 }));
    await cluster.clock.pass(1);
    for (let id = 0; id < 5; id++) service.last.created(id, 10);
    for (let revision = 1; revision <= 20; revision++) for (let id = 0; id < 5; id++) service.last.events(id, [put("a", revision)]);
    await cluster.clock.pass(1);
    const cancelled = service.last.requests.filter((request) => request.startsWith("cancel"));
    expect(cancelled).toHaveLength(5);
    for (const watch of watches) expect(watch.nextRevision).toBeLessThan(10);
    const readings = watches.map((watch) => new Reading(watch));
    for (let created = 5; readings.some(({ seen }) => seen.length < 20); created += 1) {
      await cluster.clock.pass(1);
      const [, from] = /from (\d+)/.exec(service.last.requests.filter((request) => request.startsWith("create"))[created] ?? "") ?? [];
      service.last.created(created, 20);
      for (let revision = Number(from); revision <= 20; revision++) service.last.events(created, [put("a", revision)]);
      await cluster.clock.pass(1);
    }
    for (const { seen } of readings) expect(seen).toEqual(Array.from({ length: 20 }, (_, at) => `put a@${at + 1}`));
  });
});
