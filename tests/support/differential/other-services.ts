import { createHash } from "node:crypto";
import { create, etcdserverpb, grpcHealthV1, v3electionpb, v3lockpb } from "@raftkv/api";
import { type Channel, type Client, createClient, RpcError } from "@raftkv/raft-rpc";
import type { OtherRequest, Seat } from "./random-other-requests.ts";

const options = { timeoutMs: 60_000 };
/** For something that should not come. */
const surplusMs = 300;

/** gRPC services of one server beside those for keys. */
export class OtherServices {
  private readonly lease: Client<typeof etcdserverpb.leaseService>;
  private readonly cluster: Client<typeof etcdserverpb.clusterService>;
  private readonly maintenance: Client<typeof etcdserverpb.maintenanceService>;
  private readonly locks: Client<typeof v3lockpb.lockService>;
  private readonly elections: Client<typeof v3electionpb.electionService>;
  private readonly health: Client<typeof grpcHealthV1.healthService>;

  constructor(channel: Channel) {
    this.lease = createClient(etcdserverpb.leaseService, channel);
    this.cluster = createClient(etcdserverpb.clusterService, channel);
    this.maintenance = createClient(etcdserverpb.maintenanceService, channel);
    this.locks = createClient(v3lockpb.lockService, channel);
    this.elections = createClient(v3electionpb.electionService, channel);
    this.health = createClient(grpcHealthV1.healthService, channel);
  }

  async call(request: OtherRequest): Promise<object> {
    const { cluster, maintenance, locks, elections } = this;
    switch (request.method) {
      case "keepAlive":
        return this.keepAlive(request.id);
      case "status":
        return maintenance.status(create(etcdserverpb.StatusRequestSchema), options);
      case "hash":
        return maintenance.hash(create(etcdserverpb.HashRequestSchema), options);
      case "memberList":
        return cluster.memberList(create(etcdserverpb.MemberListRequestSchema), options);
      case "defragment":
        return maintenance.defragment(create(etcdserverpb.DefragmentRequestSchema), options);
      case "health":
        return this.health.check(create(grpcHealthV1.HealthCheckRequestSchema), options);
      case "snapshot":
        return this.snapshot();
      case "moveLeader":
        return maintenance.moveLeader(create(etcdserverpb.MoveLeaderRequestSchema, { targetID: request.target }), options);
      case "lock":
        return locks.lock(create(v3lockpb.LockRequestSchema, { name: bytes(request.name), lease: request.lease }), options);
      case "unlock":
        return locks.unlock(create(v3lockpb.UnlockRequestSchema, { key: bytes(request.key) }), options);
      case "campaign": {
        const { name, lease, value } = request;
        return elections.campaign(create(v3electionpb.CampaignRequestSchema, { name: bytes(name), lease, value: bytes(value) }), options);
      }
      case "leader":
        return elections.leader(create(v3electionpb.LeaderRequestSchema, { name: bytes(request.name) }), options);
      case "observe":
        return this.observe(request.name);
      case "proclaim": {
        const { leader, value } = request;
        return elections.proclaim(create(v3electionpb.ProclaimRequestSchema, { leader: leaderKey(leader), value: bytes(value) }), options);
      }
      case "resign":
        return elections.resign(create(v3electionpb.ResignRequestSchema, { leader: leaderKey(request.leader) }), options);
      default:
        return request satisfies never;
    }
  }

  /** The requests end at once, and so does the call. */
  private async keepAlive(id: bigint): Promise<object> {
    const answers: object[] = [];
    const requests = [create(etcdserverpb.LeaseKeepAliveRequestSchema, { ID: id })];
    for await (const answer of this.lease.leaseKeepAlive(requests, options)) answers.push(answer);
    return { answers };
  }

  /** Whether it comes as clients want it: what remains grows less until nothing is left, and the SHA-256 of all closes it. */
  private async snapshot(): Promise<object> {
    const hash = createHash("sha256");
    const remaining: bigint[] = [];
    let size = 0;
    let last: Uint8Array = new Uint8Array(0);
    for await (const { blob, remainingBytes } of this.maintenance.snapshot(create(etcdserverpb.SnapshotRequestSchema), options)) {
      hash.update(last);
      size += last.length;
      last = blob;
      remaining.push(remainingBytes);
    }
    const isLess = remaining.every((bytes, at) => at === 0 || bytes <= (remaining[at - 1] ?? 0n));
    const countsDown = isLess && remaining.slice(-2).every((bytes) => bytes === 0n);
    return { countsDown, isClosedByHash: hash.digest().equals(last), padding: size % 512 };
  }

  /** Who leads when the observation begins, if anybody does. */
  private async observe(name: string): Promise<object> {
    const request = create(v3electionpb.LeaderRequestSchema, { name: bytes(name) });
    const isLed = await this.elections.leader(request, options).then(
      () => true,
      () => false,
    );
    try {
      for await (const answer of this.elections.observe(request, isLed ? options : { timeoutMs: surplusMs })) return answer;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
    }
    return { nobody: true };
  }
}

function leaderKey({ name, key, rev, lease }: Seat): v3electionpb.LeaderKey {
  return create(v3electionpb.LeaderKeySchema, { name: bytes(name), key: bytes(key), rev, lease });
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
