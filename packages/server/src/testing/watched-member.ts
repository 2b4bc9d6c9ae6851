import {
  create,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRequestCommand,
  etcdserverpb,
  fromBinary,
  type RequestCommandType,
  toBinary,
} from "@raftkv/api";
import { Channel, type ClientStreamCall, Dispatcher, Metadata, type RpcError, RpcServer } from "@raftkv/raft-rpc";
import { MemberDirectory } from "../cluster/member-directory.ts";
import type { WatchConfig } from "../config/watch-config.ts";
import { ReplicatedState } from "../state/replicated-state.ts";
import { MemberWatches } from "../watch/member-watches.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryNetwork } from "./memory-network.ts";

type WatchResponse = etcdserverpb.WatchResponse;
type RequestUnion = Exclude<NonNullable<Parameters<typeof create<typeof etcdserverpb.WatchRequestSchema>>[1]>["requestUnion"], undefined>;

export const electionMs = 1_000;
/** Of a request; a response is sent in parts from 512 KiB more on. */
export const maxRequestBytes = 64 * 1024;
const port = 2379;
const noBytes = new Uint8Array(0);
export const bytes = (characters: string): Uint8Array => new TextEncoder().encode(characters);
export const text = (characters: Uint8Array): string => new TextDecoder().decode(characters);

/** The part of a member that serves watches, on a clock that only tests move, and clients in memory. */
export class WatchedMember {
  readonly clock = new ManualClock();
  readonly node = { leader: 1, term: 7, memberState: "sound" as "sound" | "repairing" | "quarantined" };
  readonly state = new ReplicatedState(new MemberDirectory([]), 1);
  readonly watches: MemberWatches;
  private readonly failures: unknown[] = [];
  readonly server: RpcServer;
  private readonly network = new MemoryNetwork(this.clock);
  private readonly channels: Channel[] = [];
  private index = 1;

  constructor(config: Partial<WatchConfig> = {}) {
    const { clock, node, state } = this;
    const random = { below: (limit: number) => Math.floor(limit / 2), bytes: (count: number) => new Uint8Array(count) };
    this.watches = new MemberWatches({
      context: { node, state, maxRequestBytes, header: (revision) => ({ clusterId: 5n, memberId: 6n, revision, raftTerm: node.term }) },
      config: { progressNotifyMs: 600_000, streamWatchersMax: 100, watchersMax: 1000, ...config },
      electionMs,
      clock,
      random,
    });
    const dispatcher = new Dispatcher();
    this.watches.register(dispatcher);
    this.server = new RpcServer({ dispatcher, clock, onHandlerError: (_path, error) => this.failures.push(error) });
  }

  async listen(): Promise<void> {
    await this.network.portOf("member").listen({ host: "member", port }, (connection) => this.server.accept(connection));
  }

  /** Its calls share a connection. */
  client(): WatchClient {
    const { clock } = this;
    const connect = () => this.network.portOf("client").connect({ host: "member", port }, 1_000);
    const channel = new Channel({ connect, authority: "member", clock, limits: { messageBytesMax: 64 * 1024 * 1024 } });
    this.channels.push(channel);
    return new WatchClient(this, channel);
  }

  put(key: string, value: string | Uint8Array = ""): number {
    const stored = typeof value === "string" ? bytes(value) : value;
    return this.apply(
      "put",
      encodePutRequest({ key: bytes(key), value: stored, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false }),
    );
  }

  delete(key: string, rangeEnd = ""): number {
    return this.apply("deleteRange", encodeDeleteRangeRequest({ key: bytes(key), rangeEnd: bytes(rangeEnd), prevKv: false }));
  }

  compact(revision: number): void {
    const request = create(etcdserverpb.CompactionRequestSchema, { revision: BigInt(revision) });
    this.apply("compaction", toBinary(etcdserverpb.CompactionRequestSchema, request));
  }

  /** Lets everything that is under way arrive, and then this much time pass. */
  run(durationMs = 0): Promise<void> {
    return this.clock.run(durationMs);
  }

  /** Rejects if a handler failed, or something of a call is left. */
  async close(): Promise<void> {
    const { hub, service } = this.watches;
    this.watches.close();
    const closed = Promise.all([...this.channels.map((channel) => channel.close()), this.server.close(0)]);
    await this.run(10);
    await closed;
    // The turns that a member has no more once it has stopped.
    hub.runTurn(() => true);
    if (this.failures.length > 0) throw new AggregateError(this.failures, "Something went wrong inside the member");
    if (hub.watcherCount + service.callCount > 0) throw new Error(`${hub.watcherCount} watchers and ${service.callCount} calls are left`);
  }

  private apply(type: RequestCommandType, request: Uint8Array): number {
    const data = encodeRequestCommand(type, request);
    this.index++;
    this.state.apply({ index: this.index, term: this.node.term, kind: "command", data }, data, this.index);
    return this.state.store.revision;
  }
}

/** Opens watch calls. */
export class WatchClient {
  private readonly member: WatchedMember;
  private readonly channel: Channel;

  constructor(member: WatchedMember, channel: Channel) {
    this.member = member;
    this.channel = channel;
  }

  async open(options: { readonly hasLeader?: boolean; readonly timeoutMs?: number } = {}): Promise<OpenWatch> {
    const metadata = new Metadata();
    if (options.hasLeader === true) metadata.append("hasleader", "true");
    const { timeoutMs } = options;
    const watch = new OpenWatch(this.channel, { metadata, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    await this.member.run();
    return watch;
  }
}

/** A watch call as its client sees it. */
export class OpenWatch {
  readonly responses: WatchResponse[] = [];
  /** Undefined while the call is open; null if it ended with OK. */
  error: RpcError | null | undefined = undefined;
  readonly call: ClientStreamCall;

  constructor(channel: Channel, options: Parameters<Channel["stream"]>[2]) {
    this.call = channel.stream(
      "/etcdserverpb.Watch/Watch",
      {
        onMetadata: () => {},
        onMessage: (message) => void this.responses.push(fromBinary(etcdserverpb.WatchResponseSchema, message)),
        onDrain: () => {},
        onClose: (error) => {
          this.error = error;
        },
      },
      options,
    );
  }

  /** What came since the last look. */
  taken(): WatchResponse[] {
    return this.responses.splice(0);
  }

  /** The events that came since the last look, as "PUT key@revision" with the watcher's id in front. */
  takenEvents(): string[] {
    return this.taken().flatMap(({ watchId, events }) =>
      events.map(({ type, kv }) => `${watchId}: ${type === 0 ? "PUT" : "DELETE"} ${text(kv?.key ?? noBytes)}@${kv?.modRevision ?? 0n}`),
    );
  }

  create(
    key: string,
    more: Partial<Omit<etcdserverpb.WatchCreateRequest, "$typeName" | "$unknown" | "key" | "rangeEnd">> & { rangeEnd?: string } = {},
  ): void {
    const { rangeEnd = "", ...rest } = more;
    this.send({ case: "createRequest", value: { ...rest, key: bytes(key), rangeEnd: bytes(rangeEnd) } });
  }

  cancel(watchId: bigint): void {
    this.send({ case: "cancelRequest", value: { watchId } });
  }

  requestProgress(): void {
    this.send({ case: "progressRequest", value: {} });
  }

  send(requestUnion: RequestUnion): void {
    const request = create(etcdserverpb.WatchRequestSchema, { requestUnion });
    this.call.send(toBinary(etcdserverpb.WatchRequestSchema, request));
  }
}
