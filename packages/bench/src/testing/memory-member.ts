import {
  create,
  decodePutRequest,
  decodeRangeRequest,
  encodePutResponse,
  encodeRangeResponse,
  etcdserverpb,
  fromBinary,
  type KeyValue,
  toBinary,
} from "@raftkv/api";
import { type Channel, Dispatcher, listenTcp, RpcServer, StatusCode, type StreamCall, SystemClock, type UnaryCall } from "@raftkv/raft-rpc";
import { openChannel } from "../cluster/member-channel.ts";
import { keepAlivePath, putPath, rangePath } from "../load/workload.ts";

/** What a member may do wrong with a put; it says yes in each case but the first. */
export type PutFault = "refuses" | "loses" | "repeats" | "garbles";

interface StoredPair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
}

/** A member with a store in memory that speaks etcd's API on a port of its own. It begins at revision 1, as etcd does. */
export class MemoryMember {
  readonly port: number;
  readonly channel: Channel;
  /** Puts that were asked of it. */
  putCount = 0;
  /** Streams of keep-alives that were opened. */
  streamCount = 0;
  /** Ids from 1 on up to this one are granted. */
  leases = 0;
  /** Stands in every answer. */
  term = 3;
  readonly #pairs = new Map<string, StoredPair>();
  readonly #closers: (() => Promise<void> | void)[];
  readonly #faultOf: (putNumber: number) => PutFault | null;
  #revision = 1;

  private constructor(port: number, closers: (() => Promise<void> | void)[], faultOf: (putNumber: number) => PutFault | null) {
    this.port = port;
    this.channel = openChannel(port);
    this.#closers = closers;
    this.#faultOf = faultOf;
  }

  /** `faultOf` is asked for each put, numbered from 1. */
  static async start(faultOf: (putNumber: number) => PutFault | null = () => null): Promise<MemoryMember> {
    const dispatcher = new Dispatcher();
    const server = new RpcServer({ dispatcher, clock: new SystemClock() });
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => server.accept(stream));
    const member = new MemoryMember(listener.address.port, [() => listener.close(), () => server.close(0)], faultOf);
    dispatcher.addUnary(putPath, (message, call) => member.#put(message, call));
    dispatcher.addUnary(rangePath, (message, call) => member.#range(message, call));
    dispatcher.addUnary("/etcdserverpb.Maintenance/Status", (_, call) => member.#status(call));
    dispatcher.addStream(keepAlivePath, (call) => member.#keepAlive(call));
    return member;
  }

  async close(): Promise<void> {
    await this.channel.close();
    for (const close of this.#closers) await close();
  }

  #put(message: Uint8Array, call: UnaryCall): void {
    const { key, value } = decodePutRequest(message);
    const fault = this.#faultOf(++this.putCount);
    if (fault === "refuses") return call.fail(StatusCode.UNAVAILABLE, "etcdserver: leader changed");
    if (fault !== "loses") {
      const version = (this.#pairs.get(nameOf(key))?.version ?? 0) + (fault === "repeats" ? 2 : 1);
      this.#pairs.set(nameOf(key), { key, value: fault === "garbles" ? value.map((byte) => byte ^ 1) : value, version });
      this.#revision += fault === "repeats" ? 2 : 1;
    }
    call.respond(encodePutResponse({ header: this.#header(), prevKv: null }));
  }

  #range(message: Uint8Array, call: UnaryCall): void {
    const { key, rangeEnd, limit, countOnly } = decodeRangeRequest(message);
    const found = rangeEnd.length === 0 ? this.#pairs.get(nameOf(key)) : this.#between(nameOf(key), nameOf(rangeEnd));
    const pairs = found === undefined ? [] : [found].flat();
    const page = countOnly ? [] : pairs.slice(0, limit === 0 ? pairs.length : limit);
    const kvs: KeyValue[] = page.map((pair) => ({ ...pair, createRevision: 1, modRevision: this.#revision, lease: 0n }));
    call.respond(encodeRangeResponse({ header: this.#header(), kvs, more: kvs.length < pairs.length, count: pairs.length }));
  }

  #keepAlive(call: StreamCall): void {
    this.streamCount++;
    const answer = (message: Uint8Array): void => {
      const { ID } = fromBinary(etcdserverpb.LeaseKeepAliveRequestSchema, message);
      const TTL = ID <= this.leases ? 9n : 0n;
      const response = create(etcdserverpb.LeaseKeepAliveResponseSchema, { header: { revision: 1n }, ID, TTL });
      call.send(toBinary(etcdserverpb.LeaseKeepAliveResponseSchema, response));
    };
    call.setHandlers({ onMessage: answer, onEnd: () => call.end(), onCancel: () => undefined, onDrain: () => undefined });
  }

  #between(first: string, end: string): StoredPair[] {
    const names = [...this.#pairs.keys()].filter((name) => name >= first && name < end).toSorted();
    return names.flatMap((name) => this.#pairs.get(name) ?? []);
  }

  #status(call: UnaryCall): void {
    const header = create(etcdserverpb.ResponseHeaderSchema, { memberId: 7n });
    call.respond(
      toBinary(
        etcdserverpb.StatusResponseSchema,
        create(etcdserverpb.StatusResponseSchema, { header, leader: 7n, raftTerm: BigInt(this.term) }),
      ),
    );
  }

  #header() {
    return { clusterId: 1n, memberId: 7n, revision: this.#revision, raftTerm: this.term };
  }
}

/** A key as text, whose order is that of its bytes. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString("latin1");
}
