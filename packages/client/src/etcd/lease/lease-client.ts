import { create, etcdserverpb, type ResponseHeader } from "@raftkv/api";
import { type RpcRandom, StatusCode } from "@raftkv/raft-rpc";
import type { CallOptions } from "../../call-options.ts";
import type { ClientContext } from "../../client-context.ts";
import { ClientError } from "../../client-error.ts";
import { type EtcdRouter, etcdMethod } from "../etcd-router.ts";
import { plainHeader } from "../response-header.ts";
import { HeldLease, type LeaseKeeper } from "./held-lease.ts";
import type { Lease } from "./lease.ts";
import type { GrantOptions, LeaseGrant, LeaseList, LeaseRenewal, LeaseTimeToLive } from "./lease-answers.ts";
import { LeaseRenewer } from "./lease-renewer.ts";

const { leaseService: service } = etcdserverpb;
const leaseGrant = etcdMethod(service, service.methods.leaseGrant);
const leaseRevoke = etcdMethod(service, service.methods.leaseRevoke);
const leaseTimeToLive = etcdMethod(service, service.methods.leaseTimeToLive);
const leaseLeases = etcdMethod(service, service.methods.leaseLeases);

/** Leases: keys that are attached to one go when it ends. All calls reject with ClientError. */
export class LeaseClient {
  readonly #context: ClientContext;
  readonly #router: EtcdRouter;
  readonly #renewer: LeaseRenewer;
  readonly #keeper: LeaseKeeper;
  readonly #held = new Set<HeldLease>();

  constructor(context: ClientContext, router: EtcdRouter) {
    this.#context = context;
    this.#router = router;
    this.#renewer = new LeaseRenewer(context, router);
    this.#keeper = {
      clock: context.ports.clock,
      renew: (id, options) => this.#renewer.renew(id, options),
      revoke: (id, options) => this.#revokeIfThere(id, options),
      onEnd: (lease) => this.#ended(lease),
    };
  }

  /** A lease that is kept alive until it is revoked or abandoned. */
  async hold(ttl: number, options: GrantOptions = {}): Promise<Lease> {
    const askedAtMs = this.#context.ports.clock.monotonicMs();
    const granted = await this.grant(ttl, options);
    return this.#hold(granted.id, granted.ttl, askedAtMs);
  }

  /** Keeps a lease alive that somebody granted. Rejects with ERR_LEASE_LOST if there is none. */
  async adopt(id: bigint, options: CallOptions = {}): Promise<Lease> {
    const askedAtMs = this.#context.ports.clock.monotonicMs();
    const { ttl } = await this.keepAliveOnce(id, options);
    if (ttl <= 0) throw new ClientError("ERR_LEASE_LOST", `There is no lease ${id.toString(16)}`);
    return this.#hold(id, ttl, askedAtMs);
  }

  /** For `ttl` seconds, or more if the server wants it so; nobody keeps it alive. An attempt whose answer was lost does no harm: the id is the client's. */
  async grant(ttl: number, { id, ...options }: GrantOptions = {}): Promise<LeaseGrant> {
    const request = create(etcdserverpb.LeaseGrantRequestSchema, { TTL: BigInt(ttl), ID: id ?? drawId(this.#context.ports.random) });
    const answer = this.#router.call(id === undefined ? "idempotent" : "once", leaseGrant, request, options);
    try {
      const granted = await answer;
      return { header: plainHeader(granted.header), id: granted.ID, ttl: Number(granted.TTL) };
    } catch (error) {
      if (id !== undefined || !saysExists(error)) throw error;
      // Nobody else draws the same id: an earlier attempt was granted.
      const { header, grantedTtl } = await this.timeToLive(request.ID, options);
      return { header, id: request.ID, ttl: grantedTtl };
    }
  }

  /** Ends the lease, and its keys with it. */
  async revoke(id: bigint, options?: CallOptions): Promise<ResponseHeader> {
    const request = create(etcdserverpb.LeaseRevokeRequestSchema, { ID: id });
    const response = await this.#router.call("once", leaseRevoke, request, options);
    return plainHeader(response.header);
  }

  async timeToLive(id: bigint, { keys = false, ...options }: CallOptions & { readonly keys?: boolean } = {}): Promise<LeaseTimeToLive> {
    const request = create(etcdserverpb.LeaseTimeToLiveRequestSchema, { ID: id, keys });
    const response = await this.#router.call("read", leaseTimeToLive, request, options);
    return {
      header: plainHeader(response.header),
      id: response.ID,
      ttl: Number(response.TTL),
      grantedTtl: Number(response.grantedTTL),
      keys: response.keys,
    };
  }

  async list(options?: CallOptions): Promise<LeaseList> {
    const response = await this.#router.call("read", leaseLeases, create(etcdserverpb.LeaseLeasesRequestSchema), options);
    return { header: plainHeader(response.header), ids: response.leases.map(({ ID }) => ID) };
  }

  /** Gives it its whole time again, from now on. A `ttl` of 0 says that there is no such lease. */
  keepAliveOnce(id: bigint, options: CallOptions = {}): Promise<LeaseRenewal> {
    return this.#context.inFlight.run(() => this.#renewer.renew(id, options));
  }

  /** Leases that are held are not kept alive any more: their signals abort. */
  close(): void {
    for (const lease of [...this.#held]) lease.close();
    this.#renewer.close();
  }

  #hold(id: bigint, ttl: number, askedAtMs: number): Lease {
    this.#context.inFlight.enter();
    this.#renewer.retain();
    const lease = new HeldLease(this.#keeper, id, ttl, askedAtMs);
    this.#held.add(lease);
    return lease;
  }

  #ended(lease: HeldLease): void {
    if (!this.#held.delete(lease)) return;
    this.#renewer.release();
    this.#context.inFlight.leave();
  }

  async #revokeIfThere(id: bigint, options: CallOptions): Promise<void> {
    try {
      await this.#router.call("idempotent", leaseRevoke, create(etcdserverpb.LeaseRevokeRequestSchema, { ID: id }), options);
    } catch (error) {
      if (!(error instanceof ClientError && error.status?.code === StatusCode.NOT_FOUND)) throw error;
    }
  }
}

/** Positive and exact as a number of JSON: below 2^53. */
function drawId(random: RpcRandom): bigint {
  const id = (BigInt(random.below(2 ** 21)) << 32n) | BigInt(random.below(2 ** 32));
  return id === 0n ? 1n : id;
}

function saysExists(error: unknown): boolean {
  return error instanceof ClientError && error.status?.message === "etcdserver: lease already exists";
}
