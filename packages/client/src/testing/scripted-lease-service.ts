import { create, etcdserverpb } from "@raftkv/api";
import type { Dispatcher } from "@raftkv/raft-rpc";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import type { VirtualClock } from "./virtual-clock.ts";

interface ScriptedLease {
  readonly ttl: number;
  expiresAtMs: number;
}

/** The leases of a cluster, shared by the services of its members; they expire by the virtual clock. */
export class ScriptedLeases {
  readonly #clock: VirtualClock;
  readonly #leases = new Map<bigint, ScriptedLease>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  grant(id: bigint, ttl: number): void {
    if (this.find(id) !== null) throw new RpcError(StatusCode.FAILED_PRECONDITION, "etcdserver: lease already exists");
    this.#leases.set(id, { ttl, expiresAtMs: this.#clock.monotonicMs() + ttl * 1000 });
  }

  /** Seconds that it has again, 0 if there is none. */
  renew(id: bigint): number {
    const lease = this.find(id);
    if (lease === null) return 0;
    lease.expiresAtMs = this.#clock.monotonicMs() + lease.ttl * 1000;
    return lease.ttl;
  }

  revoke(id: bigint): void {
    if (this.find(id) === null) throw new RpcError(StatusCode.NOT_FOUND, "etcdserver: requested lease not found");
    this.#leases.delete(id);
  }

  find(id: bigint): ScriptedLease | null {
    const lease = this.#leases.get(id);
    return lease === undefined || lease.expiresAtMs <= this.#clock.monotonicMs() ? null : lease;
  }
}

/** The Lease service of a member. */
export class ScriptedLeaseService {
  /** "silent": takes what comes and answers nothing. "forgetful": does it, and breaks the connection instead of an answer. */
  mode: "answers" | "silent" | "forgetful" = "answers";
  renewals = 0;
  grants = 0;
  streams = 0;
  streamsOpen = 0;

  constructor(dispatcher: Dispatcher, leases: ScriptedLeases) {
    dispatcher.add(etcdserverpb.leaseService, {
      leaseGrant: async ({ ID, TTL }) => {
        this.grants += 1;
        leases.grant(ID, Number(TTL));
        await this.#answering();
        return create(etcdserverpb.LeaseGrantResponseSchema, { ID, TTL });
      },
      leaseRevoke: async ({ ID }) => {
        leases.revoke(ID);
        await this.#answering();
        return create(etcdserverpb.LeaseRevokeResponseSchema);
      },
      leaseTimeToLive: ({ ID }) => {
        const lease = leases.find(ID);
        return create(etcdserverpb.LeaseTimeToLiveResponseSchema, { ID, TTL: 1n, grantedTTL: BigInt(lease?.ttl ?? 0) });
      },
      leaseKeepAlive: (requests) => this.#keepAlive(leases, requests),
    });
  }

  async *#keepAlive(leases: ScriptedLeases, requests: AsyncIterable<etcdserverpb.LeaseKeepAliveRequest>) {
    this.streams += 1;
    this.streamsOpen += 1;
    try {
      for await (const { ID } of requests) {
        this.renewals += 1;
        if (this.mode === "silent") continue;
        const TTL = BigInt(leases.renew(ID));
        await this.#answering();
        yield create(etcdserverpb.LeaseKeepAliveResponseSchema, { ID, TTL });
      }
    } finally {
      this.streamsOpen -= 1;
    }
  }

  async #answering(): Promise<void> {
    if (this.mode === "forgetful") throw new RpcError(StatusCode.UNAVAILABLE, "etcdserver: request timed out");
    if (this.mode === "silent") await new Promise(() => undefined);
  }
}
