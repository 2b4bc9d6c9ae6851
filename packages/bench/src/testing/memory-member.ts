import {
  create,
  decodePutRequest,
  decodeRangeRequest,
  encodePutResponse,
  encodeRangeResponse,
  etcdserverpb,
  type KeyValue,
  toBinary,
} from "@raftkv/api";
import { type Channel, Dispatcher, listenTcp, RpcServer, StatusCode, SystemClock, type UnaryCall } from "@raftkv/raft-rpc";
import { openChannel } from "../cluster/member-channel.ts";
import { putPath, rangePath } from "../load/workload.ts";

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
      const name = Buffer.from(key).toString("latin1");
      const version = (this.#pairs.get(name)?.version ?? 0) + (fault === "repeats" ? 2 : 1);
      this.#pairs.set(name, { key, value: fault === "garbles" ? value.map((byte) => byte ^ 1) : value, version });
      this.#revision += fault === "repeats" ? 2 : 1;
    }
    call.respond(encodePutResponse({ header: this.#header(), prevKv: null }));
  }

  #range(message: Uint8Array, call: UnaryCall): void {
    const request = decodeRangeRequest(message);
    const pair = this.#pairs.get(Buffer.from(request.key).toString("latin1"));
    const kvs: KeyValue[] =
      pair === undefined || request.countOnly ? [] : [{ ...pair, createRevision: 1, modRevision: this.#revision, lease: 0n }];
    call.respond(
      encodeRangeResponse({ header: this.#header(), kvs, more: false, count: request.countOnly ? this.#pairs.size : kvs.length }),
    );
  }

  #status(call: UnaryCall): void {
    const header = create(etcdserverpb.ResponseHeaderSchema, { memberId: 7n });
    call.respond(
      toBinary(etcdserverpb.StatusResponseSchema, create(etcdserverpb.StatusResponseSchema, { header, leader: 7n, raftTerm: 3n })),
    );
  }

  #header() {
    return { clusterId: 1n, memberId: 7n, revision: this.#revision, raftTerm: 3 };
  }
}
