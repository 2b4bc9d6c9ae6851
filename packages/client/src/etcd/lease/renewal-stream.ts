import { create, etcdserverpb, fromBinary, toBinary } from "@raftkv/api";
import { type ClientStreamCall, type ClientStreamHandlers, methodPath, RpcError, type RpcTimer, StatusCode } from "@raftkv/raft-rpc";
import type { ClientContext } from "../../client-context.ts";
import type { Endpoint } from "../../endpoint.ts";
import type { AttemptTime } from "../etcd-router.ts";
import { plainHeader } from "../response-header.ts";
import type { LeaseRenewal } from "./lease-answers.ts";

const { leaseService, LeaseKeepAliveRequestSchema, LeaseKeepAliveResponseSchema } = etcdserverpb;
const path = methodPath(leaseService, leaseService.methods.leaseKeepAlive);

interface Pending {
  readonly resolve: (renewal: LeaseRenewal) => void;
  readonly reject: (error: RpcError) => void;
  readonly timer: RpcTimer;
}

/** Renewals of many leases on one stream to one member. Those of one lease are answered in the order in which they were asked for. */
export class RenewalStream implements ClientStreamHandlers {
  readonly #context: ClientContext;
  readonly #endpoint: Endpoint;
  readonly #onEnd: () => void;
  readonly #call: ClientStreamCall;
  readonly #pending = new Map<bigint, Pending[]>();
  #over = false;

  /** Throws RpcError. */
  constructor(context: ClientContext, endpoint: Endpoint, connectMs: number, onEnd: () => void) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#onEnd = onEnd;
    this.#call = context.connections.stream(endpoint, { path, handlers: this, connectMs });
  }

  /** Does nobody wait for an answer? */
  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** Rejects with RpcError. A member that does not answer within the time is given up, with all that wait for it. */
  renew(id: bigint, { timeoutMs }: AttemptTime): Promise<LeaseRenewal> {
    return new Promise((resolve, reject) => {
      const timer = this.#context.ports.clock.setTimer(timeoutMs, () => this.#lostPatience(timeoutMs));
      const pending = this.#pending.get(id) ?? [];
      pending.push({ resolve, reject, timer });
      this.#pending.set(id, pending);
      this.#call.send(toBinary(LeaseKeepAliveRequestSchema, create(LeaseKeepAliveRequestSchema, { ID: id })));
    });
  }

  close(): void {
    this.#ended(new RpcError(StatusCode.CANCELLED, "The stream is not needed any more"));
  }

  // ---- ClientStreamHandlers

  onMetadata(): void {
    // It says nothing that a renewal needs.
  }

  onMessage(message: Uint8Array): void {
    let response: etcdserverpb.LeaseKeepAliveResponse;
    try {
      response = fromBinary(LeaseKeepAliveResponseSchema, message);
    } catch (cause) {
      this.#ended(new RpcError(StatusCode.INTERNAL, "A renewal of a lease can't be decoded", { cause }));
      return;
    }
    const { ID: id, TTL: ttl, header } = response;
    const waiting = this.#pending.get(id);
    const first = waiting?.shift();
    if (waiting?.length === 0) this.#pending.delete(id);
    first?.timer.cancel();
    first?.resolve({ header: plainHeader(header), id, ttl: Number(ttl) });
  }

  onDrain(): void {
    // Each renewal is a few bytes, and a lease has one on its way: there is nothing to hold back.
  }

  onClose(error: RpcError | null): void {
    this.#ended(error ?? new RpcError(StatusCode.UNAVAILABLE, "The server ended the stream of renewals"));
  }

  #lostPatience(timeoutMs: number): void {
    this.#ended(new RpcError(StatusCode.UNAVAILABLE, `${this.#endpoint.address} did not renew a lease within ${Math.round(timeoutMs)} ms`));
  }

  #ended(error: RpcError): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd();
    this.#call.cancel();
    for (const waiting of this.#pending.values()) {
      for (const { timer, reject } of waiting) {
        timer.cancel();
        reject(error);
      }
    }
    this.#pending.clear();
  }
}
