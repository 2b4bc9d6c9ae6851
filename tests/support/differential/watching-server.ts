import { create, etcdserverpb } from "@raftkv/api";
import { Channel, connectTcp, createClient, SystemClock } from "@raftkv/raft-rpc";
import { eventually } from "../eventually.ts";
import { readable } from "./comparable-answer.ts";
import type { WatchStep } from "./random-watch-steps.ts";

const wholeStream = -1n;
const slowWatchers = /^etcd_debugging_mvcc_slow_watcher_total (\S+)$/m;

/** One stream of watches, and what came on it since it was last compared. */
export class WatchingServer {
  /** Watchers that were said to begin or to be gone. */
  confirmations = 0;
  private readonly endpoint: string;
  private readonly channel: Channel;
  private readonly waiting: etcdserverpb.WatchRequest[] = [];
  private readonly ended: Promise<void>;
  private readonly abort = new AbortController();
  private wake: () => void = () => undefined;
  private readonly open = new Set<bigint>();
  /** By watcher: etcd serves watchers in no order. */
  private seen = new Map<bigint, string[]>();

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    const [host = "", port = ""] = endpoint.split(":");
    this.channel = new Channel({
      connect: () => connectTcp({ host, port: Number(port) }, 5_000),
      authority: endpoint,
      clock: new SystemClock(),
    });
    this.ended = this.listen();
  }

  /** The same text for the same events of the same watchers, however they were put into responses. */
  get transcript(): string {
    const entries = [...this.seen].sort(([one], [other]) => (one < other ? -1 : 1));
    return entries.map(([id, lines]) => `watcher ${id}\n${lines.join("\n")}`).join("\n");
  }

  /** Whether this must be answered. A watcher that nobody knows is not even said to be gone. */
  answers(step: WatchStep): boolean {
    return step.method === "watch" || (step.method === "cancelWatch" && this.open.has(step.id));
  }

  send(step: WatchStep): void {
    this.waiting.push(create(etcdserverpb.WatchRequestSchema, { requestUnion: unionOf(step) }));
    this.wake();
  }

  /** Resolves when no watcher is behind, as the server counts them in its metrics. */
  caughtUp(timeoutMs: number): Promise<void> {
    return eventually(async () => {
      const response = await fetch(`http://${this.endpoint}/metrics`, { headers: { connection: "close" } });
      const [, behind] = slowWatchers.exec(await response.text()) ?? [];
      if (behind !== "0") throw new Error(`${behind} watchers of ${this.endpoint} are behind`);
    }, timeoutMs);
  }

  forget(): void {
    this.seen = new Map();
  }

  async close(): Promise<void> {
    this.abort.abort();
    this.wake();
    await this.ended;
    await this.channel.close();
  }

  private async listen(): Promise<void> {
    const watches = createClient(etcdserverpb.watchService, this.channel);
    try {
      for await (const response of watches.watch(this.requests(), { signal: this.abort.signal })) this.note(response);
      this.add(wholeStream, "end");
    } catch (error) {
      this.add(wholeStream, String(error));
    }
  }

  private async *requests(): AsyncGenerator<etcdserverpb.WatchRequest> {
    while (!this.abort.signal.aborted) {
      const request = this.waiting.shift();
      if (request !== undefined) yield request;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }

  private note(response: etcdserverpb.WatchResponse): void {
    const { watchId, created, canceled, compactRevision, cancelReason, events, header } = response;
    if (created && !canceled) this.open.add(watchId);
    // One that compaction ended is kept, and is said to be gone once more when it is cancelled.
    if (canceled && compactRevision === 0n) this.open.delete(watchId);
    // Progress of the whole stream: etcd 3.4 tells it at once, later versions and RaftKV when no watcher is behind.
    if (created || canceled) {
      this.confirmations++;
      this.add(watchId, JSON.stringify(readable({ created, canceled, compactRevision, cancelReason, revision: header?.revision })));
    }
    for (const { type, kv, prevKv } of events) this.add(watchId, JSON.stringify(readable({ type, kv, prevKv })));
  }

  private add(id: bigint, line: string): void {
    const lines = this.seen.get(id);
    if (lines === undefined) this.seen.set(id, [line]);
    else lines.push(line);
  }
}

function unionOf(step: WatchStep): etcdserverpb.WatchRequest["requestUnion"] {
  switch (step.method) {
    case "watch": {
      const { key, rangeEnd, filters, ...others } = step.create;
      const keys = { key: Uint8Array.from(key), rangeEnd: Uint8Array.from(rangeEnd) };
      const value = create(etcdserverpb.WatchCreateRequestSchema, { ...others, ...keys, filters: [...filters] });
      return { case: "createRequest", value };
    }
    case "cancelWatch":
      return { case: "cancelRequest", value: create(etcdserverpb.WatchCancelRequestSchema, { watchId: step.id }) };
    case "watchProgress":
      return { case: "progressRequest", value: create(etcdserverpb.WatchProgressRequestSchema) };
    default:
      return step satisfies never;
  }
}
