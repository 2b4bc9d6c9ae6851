import { create, etcdserverpb } from "@raftkv/api";
import { Channel, type Client, connectTcp, createClient, RpcError, SystemClock } from "@raftkv/raft-rpc";
import { comparable } from "./comparable-answer.ts";
import { OtherServices } from "./other-services.ts";
import type { UnaryRequest } from "./random-requests.ts";

const timeoutMs = 60_000;

/** What a server answered, without what has to differ between servers; or how it refused. */
export type Answer = { readonly answer: unknown } | { readonly code: number; readonly message: string };

export interface Answering {
  ask(request: UnaryRequest): Promise<Answer>;
}

/** A server that is asked at random, etcd's or ours, over gRPC. */
export class AnsweringServer implements Answering {
  private readonly channel: Channel;
  private readonly kv: Client<typeof etcdserverpb.kvService>;
  private readonly lease: Client<typeof etcdserverpb.leaseService>;
  private readonly maintenance: Client<typeof etcdserverpb.maintenanceService>;

  private readonly other: OtherServices;

  constructor(endpoint: string) {
    const [host = "", port = ""] = endpoint.split(":");
    this.channel = new Channel({
      connect: () => connectTcp({ host, port: Number(port) }, 5_000),
      authority: endpoint,
      clock: new SystemClock(),
    });
    this.kv = createClient(etcdserverpb.kvService, this.channel);
    this.lease = createClient(etcdserverpb.leaseService, this.channel);
    this.maintenance = createClient(etcdserverpb.maintenanceService, this.channel);
    this.other = new OtherServices(this.channel);
  }

  async ask(request: UnaryRequest): Promise<Answer> {
    try {
      return { answer: comparable(await this.call(request), request) };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return { code: error.code, message: error.message };
    }
  }

  close(): Promise<void> {
    return this.channel.close();
  }

  private call(request: UnaryRequest): Promise<object> {
    const { kv, lease, maintenance } = this;
    switch (request.method) {
      case "range":
        return kv.range(request.request, { timeoutMs });
      case "put":
        return kv.put(request.request, { timeoutMs });
      case "deleteRange":
        return kv.deleteRange(request.request, { timeoutMs });
      case "txn":
        return kv.txn(request.request, { timeoutMs });
      case "compact": {
        const { revision, physical } = request;
        return kv.compact(create(etcdserverpb.CompactionRequestSchema, { revision: BigInt(revision), physical }), { timeoutMs });
      }
      case "grant":
        return lease.leaseGrant(create(etcdserverpb.LeaseGrantRequestSchema, { ID: request.id, TTL: request.ttl }), { timeoutMs });
      case "revoke":
        return lease.leaseRevoke(create(etcdserverpb.LeaseRevokeRequestSchema, { ID: request.id }), { timeoutMs });
      case "timeToLive":
        return lease.leaseTimeToLive(create(etcdserverpb.LeaseTimeToLiveRequestSchema, { ID: request.id, keys: true }), { timeoutMs });
      case "leases":
        return lease.leaseLeases(create(etcdserverpb.LeaseLeasesRequestSchema, {}), { timeoutMs });
      case "hashKV":
        return maintenance.hashKV(create(etcdserverpb.HashKVRequestSchema, { revision: BigInt(request.revision) }), { timeoutMs });
      case "alarm": {
        const { action, memberId } = request;
        return maintenance.alarm(create(etcdserverpb.AlarmRequestSchema, { action, memberID: memberId }), { timeoutMs });
      }
      default:
        return this.other.call(request);
    }
  }
}
