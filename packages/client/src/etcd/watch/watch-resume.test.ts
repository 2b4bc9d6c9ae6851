import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ScriptedCluster } from "../../testing/scripted-cluster.ts";
import { type ScriptedEvent, ScriptedWatchService, type ScriptedWatchStream } from "../../testing/scripted-watch-service.ts";
import type { Watch } from "./watch-types.ts";

const addresses = ["127.0.0.1:1001", "127.0.0.1:1002"];
const text = new TextDecoder();

/** The same changes at every member; each stream is served as far as the test lets it. */
class History {
  readonly events: ScriptedEvent[] = [];
  readonly #services: readonly ScriptedWatchService[];
  /** By stream: creations that were answered, and by id the place in the history up to which was told. */
  readonly #answered = new Map<ScriptedWatchStream, { count: number; readonly told: Map<number, number> }>();
  #revision = 10;

  constructor(services: readonly ScriptedWatchService[]) {
    this.#services = services;
  }

  /** So many keys change at one revision. */
  change(count: number): void {
    this.#revision += 1;
    for (let place = 0; place < count; place++) {
      this.events.push({ type: "put", key: `key-${this.events.length}`, revision: this.#revision });
    }
  }

  /** Answers all that was asked, and tells up to `piece` events of each watch, the rest of a revision in a further piece. */
  serve(piece: number): void {
    for (const { streams } of this.#services) {
      for (const stream of streams) if (!stream.ended) this.#serveStream(stream, piece);
    }
  }

  breakStreams(): void {
    for (const { streams } of this.#services) {
      for (const stream of streams) stream.outbox.end(new RpcError(StatusCode.UNAVAILABLE, "etcdserver: no leader"));
    }
  }

  #serveStream(stream: ScriptedWatchStream, piece: number): void {
    const known = this.#answered.get(stream) ?? { count: 0, told: new Map<number, number>() };
    this.#answered.set(stream, known);
    const creations = stream.requests.filter((request) => request.startsWith("create"));
    for (; known.count < creations.length; known.count++) {
      const from = Number(/from (\d+)/.exec(creations[known.count] ?? "")?.[1]);
      stream.created(known.count, this.#revision);
      const start = this.events.findIndex(({ revision }) => revision >= from);
      known.told.set(known.count, start === -1 || from === 0 ? this.events.length : start);
    }
    for (const [id, at] of known.told) {
      if (stream.requests.includes(`cancel ${id}`)) continue;
      const events = this.events.slice(at, at + piece);
      if (events.length === 0) continue;
      const next = this.events[at + piece];
      stream.events(id, events, { fragment: next !== undefined && next.revision === events.at(-1)?.revision });
      known.told.set(id, at + events.length);
    }
  }
}

/** Reads when the test lets it. */
class Reader {
  readonly seen: string[] = [];
  readonly #iterator: AsyncIterator<{ readonly events: readonly { readonly kv: { readonly key: Uint8Array } }[] }>;
  #reading = false;

  constructor(watch: Watch) {
    this.#iterator = watch[Symbol.asyncIterator]();
  }

  /** Takes one batch when there is one. */
  async read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const { done, value } = await this.#iterator.next();
    this.#reading = false;
    if (done !== true) this.seen.push(...value.events.map(({ kv }) => text.decode(kv.key)));
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("change" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("serve" as const), piece: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), reader: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "cut" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "end" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3_000 }) }) },
);

test("whatever breaks, and however slow its readers are, every watch tells every change once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const cluster = new ScriptedCluster();
      const members = addresses.map((address) => cluster.member(address));
      const history = new History(members.map(({ dispatcher }) => new ScriptedWatchService(dispatcher)));
      const client = cluster.client({ endpoints: addresses });
      const watches = [400, 1_000, 1_000_000].map((bufferBytesMax) =>
        client.etcd.watch({ prefix: "" }, { startRevision: 1, bufferBytesMax }),
      );
      const readers = watches.map((watch) => new Reader(watch));
      for (const action of steps) {
        if (action.kind === "change") history.change(action.count);
        else if (action.kind === "serve") history.serve(action.piece);
        else if (action.kind === "read") void readers[action.reader]?.read();
        else if (action.kind === "cut") for (const member of members) member.cutConnections();
        else if (action.kind === "end") history.breakStreams();
        else await cluster.clock.pass(action.ms);
        await cluster.clock.pass(1);
      }
      // From here on nothing breaks any more, and everybody reads.
      for (let round = 0; round < 500 && readers.some(({ seen }) => seen.length < history.events.length); round++) {
        await cluster.clock.pass(20);
        history.serve(5);
        for (const reader of readers) void reader.read();
      }
      const expected = history.events.map(({ key }) => key);
      for (const { seen } of readers) expect(seen).toEqual(expected);
      for (const watch of watches) watch.close();
      client.close();
    }),
    { numRuns: 80 },
  );
});
