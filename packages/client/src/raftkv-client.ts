import { type KeyRequest, type RaftKvResponse, raftkvV1 } from "@raftkv/api";
import { methodPath } from "@raftkv/raft-rpc";
import { ClientError } from "./client-error.ts";
import { type ClientOptions, checkTimeout, defaultInFlightMax, defaultTimeoutMs } from "./client-options.ts";
import type { ClusterStatus } from "./cluster-status.ts";
import { readClusterStatus } from "./cluster-status-reader.ts";
import type { ClusterView } from "./cluster-view.ts";
import { Deadline } from "./deadline.ts";
import { type Endpoint, parseEndpoints } from "./endpoint.ts";
import { LeaderRouter, type RoutedCall } from "./leader-router.ts";
import { MemberConnections } from "./member-connections.ts";
import type { GetResult, PutResult, RedirectResult, RemoveResult, UpdateResult } from "./result.ts";

/** Text is sent as UTF-8. */
export type Bytes = string | Uint8Array;

const { raftKvService } = raftkvV1;
const { put, update, get, remove } = raftKvService.methods;

type Method = (typeof raftKvService.methods)[keyof typeof raftKvService.methods];

/**
 * A client of RaftKV's own four operations. It finds the leader, follows it when it changes, and sends a write again only if the first
 * attempt was certainly not applied. Calls may overlap. Runs on ports; `connectClient` gives it real sockets.
 */
export class RaftKVClient {
  readonly #options: ClientOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #timeoutMs: number;
  readonly #inFlightMax: number;
  readonly #router: LeaderRouter;
  readonly #connections: MemberConnections;
  readonly #clientId: bigint;
  #sequence = 0;
  #inFlight = 0;
  #closed = false;

  /** Throws RangeError if an endpoint or a number is wrong. Connects when the first call needs it. */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#endpoints = parseEndpoints(options.endpoints);
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    checkTimeout(this.#timeoutMs);
    this.#inFlightMax = options.inFlightMax ?? defaultInFlightMax;
    if (!(this.#inFlightMax >= 1)) throw new RangeError(`inFlightMax ${this.#inFlightMax} is less than 1`);
    this.#router = new LeaderRouter({
      endpoints: this.#endpoints,
      clock: options.clock,
      random: options.random,
      followRedirects: options.followRedirects ?? true,
      onEvent: options.onEvent ?? (() => undefined),
    });
    this.#connections = new MemberConnections(options);
    this.#clientId = randomId(options);
  }

  /** What the client knows of the cluster now. */
  get view(): ClusterView {
    return this.#router.view;
  }

  /** Creates `key`; refuses if it exists. Rejects with ClientError. */
  async put(key: Bytes, value: Bytes): Promise<PutResult> {
    const response = await this.#write(put, key, value);
    switch (response.status) {
      case "created":
        return { outcome: "created", revision: response.revision };
      case "already-exists":
        return { outcome: "already-exists" };
      default:
        return redirectOf(put, response);
    }
  }

  /** Creates `key` or replaces its value. Rejects with ClientError. */
  async update(key: Bytes, value: Bytes): Promise<UpdateResult> {
    const response = await this.#write(update, key, value);
    switch (response.status) {
      case "created":
        return { outcome: "created", revision: response.revision };
      case "success":
        return { outcome: "replaced", revision: response.revision };
      default:
        return redirectOf(update, response);
    }
  }

  /** The value of `key` at a moment between call and answer (linearizable). Rejects with ClientError. */
  async get(key: Bytes): Promise<GetResult> {
    const response = await this.#call(get, true, get.request.encode(this.#identified(key)));
    switch (response.status) {
      case "success":
        return { outcome: "found", value: response.value, revision: response.revision };
      case "not-found":
        return { outcome: "not-found" };
      default:
        return redirectOf(get, response);
    }
  }

  /** Removes `key`; says so if there is none. Rejects with ClientError. */
  async remove(key: Bytes): Promise<RemoveResult> {
    const response = await this.#call(remove, false, remove.request.encode(this.#identified(key)));
    switch (response.status) {
      case "success":
        return { outcome: "removed", revision: response.revision };
      case "not-found":
        return { outcome: "not-found" };
      default:
        return redirectOf(remove, response);
    }
  }

  /** Asks every member, known or configured, how it is. Members that do not answer are part of the result. Rejects only when closed. */
  async status(): Promise<ClusterStatus> {
    return this.#counted(() => readClusterStatus(this.#endpoints, this.#connections, new Deadline(this.#options.clock, this.#timeoutMs)));
  }

  /** Calls that run reject: reads and waiting calls with ERR_CLOSED, writes that were sent with ERR_OUTCOME_UNKNOWN. May be called twice. */
  close(): void {
    this.#closed = true;
    this.#router.close();
    this.#connections.close();
  }

  #write(method: typeof put, key: Bytes, value: Bytes): Promise<RaftKvResponse> {
    return this.#call(method, false, method.request.encode({ ...this.#identified(key), value: toBytes(value) }));
  }

  /** The same bytes are sent in every attempt, so that a member can recognise them. */
  #call(method: Method, repeatable: boolean, message: Uint8Array): Promise<RaftKvResponse> {
    return this.#counted(async () => {
      const path = methodPath(raftKvService, method);
      const send: RoutedCall["send"] = async (endpoint, time) =>
        method.response.decode(await this.#connections.unary(endpoint, { path, message, ...time }));
      const deadline = new Deadline(this.#options.clock, this.#timeoutMs);
      const response = await this.#router.call({ name: method.name.toLowerCase(), repeatable, send }, deadline);
      if (response.status === "bad-request") throw new ClientError("ERR_BAD_REQUEST", response.message);
      return response;
    });
  }

  async #counted<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new ClientError("ERR_CLOSED", "The client is closed");
    if (this.#inFlight >= this.#inFlightMax) {
      throw new ClientError("ERR_OVERLOADED", `${this.#inFlight} calls are running, which is the limit`);
    }
    this.#inFlight += 1;
    if (this.#inFlight === 1) this.#options.onBusy?.(true);
    try {
      return await run();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#options.onBusy?.(false);
    }
  }

  #identified(key: Bytes): KeyRequest {
    this.#sequence += 1;
    return { key: toBytes(key), clientId: this.#clientId, sequence: this.#sequence };
  }
}

const encoder = new TextEncoder();

function toBytes(value: Bytes): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : value;
}

/** 64 random bits, never 0: that means "not identified". */
function randomId({ random }: ClientOptions): bigint {
  const id = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  return id === 0n ? 1n : id;
}

/** What is left of the statuses when those that the operation can have are taken. */
function redirectOf(method: Method, response: RaftKvResponse): RedirectResult {
  if (response.status === "redirect") return { outcome: "redirect", leader: response.leader };
  throw new ClientError("ERR_REJECTED", `${method.name} was answered with ${response.status}, which is no answer to it`);
}
