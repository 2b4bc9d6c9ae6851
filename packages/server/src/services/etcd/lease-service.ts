import { create, encodeRequestCommand, etcdserverpb, toBinary } from "@raftkv/api";
import { NodeError, promised, type Random } from "@raftkv/raft-node";
import { type Dispatcher, RpcError, type ServiceImpl, StatusCode, type StreamCall } from "@raftkv/raft-rpc";
import type { LeaseTime } from "../../lease/lease-answer.ts";
import type { LeaseKeeper } from "../../lease/lease-keeper.ts";
import type { LeaseRouter } from "../../lease/lease-router.ts";
import { leaseCostBytes } from "../../space/request-cost.ts";
import type { LeaderLoss } from "../../watch/leader-loss.ts";
import type { ServiceContext } from "../service-context.ts";
import { etcdErrors, refusalError, rpcError, withEtcdErrors } from "./etcd-error.ts";
import { headerMessage } from "./header-message.ts";
import { leaseErrorOf } from "./lease-error.ts";
import { LeaseKeepAliveStream } from "./lease-keep-alive-stream.ts";

const { leaseKeepAlive: keepAliveMethod, ...unaryMethods } = etcdserverpb.leaseService.methods;
const unaryService = { ...etcdserverpb.leaseService, methods: unaryMethods };

/** etcd's limit, in seconds. */
const ttlSecondsMax = 9_000_000_000n;

export interface LeaseServiceOptions {
  readonly context: ServiceContext;
  readonly keeper: LeaseKeeper;
  readonly router: LeaseRouter;
  readonly random: Random;
  readonly electionMs: number;
  /** Leases of the whole cluster; no more are granted through this member. */
  readonly leasesMax: number;
  readonly leaderLoss: LeaderLoss;
}

/** `etcdserverpb.Lease`. Any member serves it: what only the leader knows is asked there. */
export class LeaseService {
  private readonly options: LeaseServiceOptions;
  private readonly context: ServiceContext;
  /** The keep-alive streams that are open. */
  private readonly streams = new Set<LeaseKeepAliveStream>();
  private isClosed = false;
  /** A shorter one might run out while a new leader is elected (etcd's rule). */
  private readonly ttlSecondsMin: bigint;

  constructor(options: LeaseServiceOptions) {
    this.options = options;
    this.context = options.context;
    this.ttlSecondsMin = BigInt(Math.ceil((1.5 * options.electionMs) / 1_000));
  }

  register(dispatcher: Dispatcher): void {
    dispatcher.add(unaryService, this.unary());
    dispatcher.addStream(`/${unaryService.typeName}/${keepAliveMethod.name}`, (call) => this.openStream(call));
  }

  /** Ends all keep-alive streams, and those that come. Clients go on at another member. */
  close(): void {
    this.isClosed = true;
    for (const stream of this.streams) stream.end(etcdErrors.stopped);
  }

  /** Grants a lease. An id of 0 stands for one that is chosen here. Throws RpcError with etcd's errors. */
  async grant(ttlSeconds: bigint, id: bigint): Promise<{ readonly id: bigint; readonly ttlSeconds: number }> {
    if (ttlSeconds > ttlSecondsMax) throw rpcError(etcdErrors.leaseTooLong);
    const { leasesMax } = this.options;
    const { count } = this.context.state.store.leases;
    if (count >= leasesMax) {
      const sentence = `raftkv: there are ${count} leases, revoke some or start the members with a higher --max-leases than ${leasesMax}`;
      throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, sentence);
    }
    if (!this.context.quota.admits(leaseCostBytes)) throw rpcError(etcdErrors.noSpace);
    const request = { ID: id === 0n ? this.unusedId() : id, TTL: ttlSeconds < this.ttlSecondsMin ? this.ttlSecondsMin : ttlSeconds };
    const message = create(etcdserverpb.LeaseGrantRequestSchema, request);
    const command = encodeRequestCommand("leaseGrant", toBinary(etcdserverpb.LeaseGrantRequestSchema, message));
    const result = await withEtcdErrors(this.context.node.propose(command));
    // Another member may have chosen the same at the same time.
    if (result.outcome === "refused" && result.reason === "lease-exists" && id === 0n) return this.grant(ttlSeconds, id);
    if (result.outcome === "refused") throw rpcError(refusalError(result.reason));
    if (result.outcome !== "lease-granted") throw new Error(`Granting a lease ended as ${result.outcome}`);
    return result;
  }

  private openStream(call: StreamCall): void {
    if (this.isClosed) return call.end(etcdErrors.stopped.code, etcdErrors.stopped.message);
    const { context, router, leaderLoss } = this.options;
    const wantsLeader = call.metadata.get("hasleader") === "true";
    const onOver = (): void => {
      stopListening();
      this.streams.delete(stream);
    };
    const stream = new LeaseKeepAliveStream(call, { context, router, onOver });
    const stopListening = wantsLeader ? leaderLoss.listen(() => stream.end(etcdErrors.noLeader)) : () => undefined;
    this.streams.add(stream);
  }

  private unary(): ServiceImpl<typeof unaryService> {
    return {
      leaseGrant: async ({ TTL, ID }) => {
        const { id, ttlSeconds } = await this.grant(TTL, ID);
        return create(etcdserverpb.LeaseGrantResponseSchema, { header: this.header(), ID: id, TTL: BigInt(ttlSeconds) });
      },
      leaseRevoke: async ({ ID }) => {
        await this.revoke(ID);
        return create(etcdserverpb.LeaseRevokeResponseSchema, { header: this.header() });
      },
      leaseTimeToLive: async ({ ID, keys: wantsKeys }) => {
        const { ttl, grantedTtl } = await this.timeToLive(ID);
        const keys = wantsKeys && ttl >= 0 ? await this.keysOf(ID) : [];
        const time = { TTL: BigInt(ttl), grantedTTL: BigInt(grantedTtl) };
        return create(etcdserverpb.LeaseTimeToLiveResponseSchema, { header: this.header(), ID, ...time, keys: [...keys] });
      },
      leaseLeases: async () => {
        await withEtcdErrors(this.context.node.readBarrier());
        const leases = this.idsByRemainingTime().map((ID) => ({ ID }));
        return create(etcdserverpb.LeaseLeasesResponseSchema, { header: this.header(), leases });
      },
    };
  }

  private async revoke(id: bigint): Promise<void> {
    const message = create(etcdserverpb.LeaseRevokeRequestSchema, { ID: id });
    const command = encodeRequestCommand("leaseRevoke", toBinary(etcdserverpb.LeaseRevokeRequestSchema, message));
    const result = await withEtcdErrors(this.context.node.propose(command));
    if (result.outcome === "refused") throw rpcError(refusalError(result.reason));
  }

  private async timeToLive(id: bigint): Promise<LeaseTime> {
    try {
      return await promised((completion) => this.options.router.timeToLive(id, completion));
    } catch (error) {
      throw error instanceof NodeError ? rpcError(leaseErrorOf(error), error) : error;
    }
  }

  /** As of now: every member has them. */
  private async keysOf(id: bigint): Promise<readonly Uint8Array[]> {
    await withEtcdErrors(this.context.node.readBarrier());
    return this.context.state.store.leases.keysOf(id);
  }

  /** The leader knows when each lease runs out; another member goes by what was granted and noted. */
  private idsByRemainingTime(): bigint[] {
    const { keeper, context } = this.options;
    const times: { readonly id: bigint; readonly remainingMs: number }[] = [];
    for (const { id, ttlSeconds, remainingSeconds } of context.state.store.leases.list()) {
      times.push({ id, remainingMs: keeper.remainingMs(id) ?? 1_000 * (remainingSeconds || ttlSeconds) });
    }
    return times.sort((a, b) => a.remainingMs - b.remainingMs).map(({ id }) => id);
  }

  /** Positive and below 2^53, so that clients that read JSON numbers as doubles get the same id back. */
  private unusedId(): bigint {
    const { random, context } = this.options;
    for (;;) {
      const id = (BigInt(random.below(2 ** 21)) << 32n) | BigInt(random.below(2 ** 32));
      if (id !== 0n && !context.state.store.leases.has(id)) return id;
    }
  }

  private header(): ReturnType<typeof headerMessage> {
    return headerMessage(this.context, this.context.state.store.revision);
  }
}
