import { etcdserverpb } from "@raftkv/api";
import { Channel, connectTcp, createClient, SystemClock } from "@raftkv/raft-rpc";

const requestTimeoutMs = 20_000;
const noBytes = new Uint8Array(0);
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array): string => new TextDecoder().decode(value);

export interface StoredPair {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
}

export interface MemberStatus {
  readonly memberId: bigint;
  readonly leader: bigint;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
}

interface KeyRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

const everything: KeyRange = { key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]) };
const newest = {
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
} as const;

/** etcd's API of one member on 127.0.0.1, for tests. Every call has a deadline and rejects with RpcError. */
export class EtcdEndpoint {
  private readonly port: number;
  private readonly channel: Channel;

  constructor(port: number) {
    this.port = port;
    this.channel = this.connect();
  }

  /** Returns the revision of the write. */
  async put(key: string, value: string, timeoutMs = requestTimeoutMs): Promise<number> {
    const request = { key: bytes(key), value: bytes(value), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    const response = await createClient(etcdserverpb.kvService, this.channel).put(request, { timeoutMs });
    return response.header.revision;
  }

  /** Gives up the versions that were replaced up to a revision. */
  async compact(revision: number, timeoutMs = requestTimeoutMs): Promise<void> {
    await createClient(etcdserverpb.kvService, this.channel).compact(
      { $typeName: "etcdserverpb.CompactionRequest", revision: BigInt(revision), physical: false },
      { timeoutMs },
    );
  }

  /** The value, or null if there is no such key. */
  async get(key: string, timeoutMs = requestTimeoutMs): Promise<string | null> {
    const { kvs } = await this.range({ key: bytes(key), rangeEnd: noBytes }, "linearizable", timeoutMs);
    return kvs[0] === undefined ? null : text(kvs[0].value);
  }

  /** All keys, as this member has them. */
  async all(read: "linearizable" | "serializable", timeoutMs = requestTimeoutMs): Promise<readonly StoredPair[]> {
    const { kvs } = await this.range(everything, read, timeoutMs);
    return kvs.map(({ key, value, modRevision }) => ({ key: text(key), value: text(value), modRevision }));
  }

  async status(timeoutMs = requestTimeoutMs): Promise<MemberStatus> {
    const status = await createClient(etcdserverpb.maintenanceService, this.channel).status(
      { $typeName: "etcdserverpb.StatusRequest" },
      { timeoutMs },
    );
    return {
      memberId: status.header?.memberId ?? 0n,
      leader: status.leader,
      term: Number(status.raftTerm),
      commitIndex: Number(status.raftIndex),
      appliedIndex: Number(status.raftAppliedIndex),
    };
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  private range(keys: KeyRange, read: "linearizable" | "serializable", timeoutMs: number) {
    const request = { ...newest, ...keys, serializable: read === "serializable" };
    return createClient(etcdserverpb.kvService, this.channel).range(request, { timeoutMs });
  }

  private connect(): Channel {
    return new Channel({
      connect: () => connectTcp({ host: "127.0.0.1", port: this.port }, 1_000),
      authority: `127.0.0.1:${this.port}`,
      clock: new SystemClock(),
      limits: { messageBytesMax: 512 * 1024 * 1024 },
      backOff: { initialMs: 20, maxMs: 200 },
    });
  }
}
