import { type KeyRequest, type RaftKvResponse, raftkvV1 } from "@raftkv/api";
import { methodPath } from "@raftkv/raft-rpc";
import { type Bytes, toBytes } from "./bytes.ts";
import type { ClientContext } from "./client-context.ts";
import { ClientError } from "./client-error.ts";
import { type ClientOptions, checkTimeout, defaultInFlightMax, defaultTimeoutMs } from "./client-options.ts";
import type { ClusterStatus } from "./cluster-status.ts";
import { readClusterStatus } from "./cluster-status-reader.ts";
import type { ClusterView } from "./cluster-view.ts";
import { Deadline } from "./deadline.ts";
import { parseEndpoints } from "./endpoint.ts";
import { EtcdClient } from "./etcd/etcd-client.ts";
import { InFlight } from "./in-flight.ts";
import { LeaderRouter, type RoutedCall } from "./leader-router.ts";
import { MemberConnections } from "./member-connections.ts";
import type { GetResult, PutResult, RedirectResult, RemoveResult, UpdateResult } from "./result.ts";

const { raftKvService } = raftkvV1;
const { put, update, get, remove } = raftKvService.methods;

type Method = (typeof raftKvService.methods)[keyof typeof raftKvService.methods];

/**
 * A client of RaftKV's own four operations. It finds the leader, follows it when it changes, and sends a write again only if the first
 * attempt was certainly not applied. Calls may overlap. Runs on ports; `connectClient` gives it real sockets.
 */
export class RaftKVClient {
  /** etcd's API of the same members, over the same connections. */
  readonly etcd: EtcdClient;
  readonly #context: ClientContext;
  readonly #router: LeaderRouter;
  readonly #clientId: bigint;
  #sequence = 0;

  /** Throws RangeError if an endpoint or a number is wrong. Connects when the first call needs it. */
  constructor(options: ClientOptions) {
    const { timeoutMs = defaultTimeoutMs, inFlightMax = defaultInFlightMax, onEvent = () => undefined, onBusy = () => undefined } = options;
    checkTimeout(timeoutMs);
    this.#context = {
      ports: options,
      endpoints: parseEndpoints(options.endpoints),
      timeoutMs,
      connections: new MemberConnections(options),
      inFlight: new InFlight(inFlightMax, onBusy),
      onEvent,
    };
    this.#router = new LeaderRouter({
      endpoints: this.#context.endpoints,
      clock: options.clock,
      random: options.random,
      followRedirects: options.followRedirects ?? true,
      onEvent,
    });
    this.#clientId = randomId(options);
    this.etcd = new EtcdClient(this.#context);
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
    const { endpoints, connections, inFlight } = this.#context;
    return inFlight.run(() => readClusterStatus(endpoints, connections, this.#deadline()));
  }

  /** Calls that run reject: reads and waiting calls with ERR_CLOSED, writes that were sent with ERR_OUTCOME_UNKNOWN. May be called twice. */
  close(): void {
    this.#context.inFlight.close();
    this.#router.close();
    this.etcd.close();
    this.#context.connections.close();
  }

  #write(method: typeof put, key: Bytes, value: Bytes): Promise<RaftKvResponse> {
    return this.#call(method, false, method.request.encode({ ...this.#identified(key), value: toBytes(value) }));
  }

  /** The same bytes are sent in every attempt, so that a member can recognise them. */
  #call(method: Method, repeatable: boolean, message: Uint8Array): Promise<RaftKvResponse> {
    return this.#context.inFlight.run(async () => {
      const path = methodPath(raftKvService, method);
      const send: RoutedCall["send"] = async (endpoint, time) =>
        method.response.decode(await this.#context.connections.unary(endpoint, { path, message, ...time }));
      const response = await this.#router.call({ name: method.name.toLowerCase(), repeatable, send }, this.#deadline());
      if (response.status === "bad-request") throw new ClientError("ERR_BAD_REQUEST", response.message);
      return response;
    });
  }

  #deadline(): Deadline {
    return new Deadline(this.#context.ports.clock, this.#context.timeoutMs);
  }

  #identified(key: Bytes): KeyRequest {
    this.#sequence += 1;
    return { key: toBytes(key), clientId: this.#clientId, sequence: this.#sequence, lowestAwaited: 0 };
  }
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
