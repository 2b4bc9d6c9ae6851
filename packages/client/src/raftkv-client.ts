import { type RaftKvResponse, raftkvV1 } from "@raftkv/api";
import { methodPath } from "@raftkv/raft-rpc";
import { type Bytes, toBytes } from "./bytes.ts";
import type { CallOptions } from "./call-options.ts";
import type { ClientContext } from "./client-context.ts";
import { ClientError } from "./client-error.ts";
import { type ClientOptions, checkTimeout, defaultInFlightMax, defaultTimeoutMs, defaultWatchBytesMax } from "./client-options.ts";
import type { ClusterStatus } from "./cluster-status.ts";
import { readClusterStatus } from "./cluster-status-reader.ts";
import type { ClusterView } from "./cluster-view.ts";
import { Deadline } from "./deadline.ts";
import { parseEndpoints } from "./endpoint.ts";
import { EtcdClient } from "./etcd/etcd-client.ts";
import { InFlight } from "./in-flight.ts";
import { LeaderRouter, type RoutedCall } from "./leader-router.ts";
import { MemberConnections } from "./member-connections.ts";
import { type RequestIdentity, RequestSessions } from "./request-session.ts";
import type { GetResult, PutResult, RedirectResult, RemoveResult, UpdateResult } from "./result.ts";

const { raftKvService } = raftkvV1;
const { put, update, get, remove } = raftKvService.methods;

type Encode = (identity: RequestIdentity) => Uint8Array;
type Method = (typeof raftKvService.methods)[keyof typeof raftKvService.methods];

/**
 * A client of a RaftKV cluster: its own four operations here, etcd's API as `etcd`. It finds the leader, and follows it when it changes. A
 * write may be sent several times and is applied once, for the cluster recognises it. Calls may overlap. Runs on ports; `connect` and
 * `connectClient` give it real sockets.
 */
export class RaftKVClient implements AsyncDisposable {
  /** etcd's API of the same members, over the same connections. */
  readonly etcd: EtcdClient;
  readonly #context: ClientContext;
  readonly #router: LeaderRouter;
  readonly #sessions: RequestSessions;
  readonly #repeatsWrites: boolean;

  /** Throws RangeError if an endpoint or a number is wrong. Connects when the first call needs it. */
  constructor(options: ClientOptions) {
    const { timeoutMs = defaultTimeoutMs, inFlightMax = defaultInFlightMax, watchBytesMax = defaultWatchBytesMax } = options;
    const { onEvent = () => undefined, onBusy = () => undefined } = options;
    checkTimeout(timeoutMs);
    if (!(watchBytesMax >= 1)) throw new RangeError(`watchBytesMax ${watchBytesMax} is less than 1`);
    this.#context = {
      ports: options,
      endpoints: parseEndpoints(options.endpoints),
      timeoutMs,
      watchBytesMax,
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
    this.#sessions = new RequestSessions(options);
    // Who does not follow redirects asks one member.
    this.#repeatsWrites = options.followRedirects ?? true;
    this.etcd = new EtcdClient(this.#context);
  }

  /** What the client knows of the cluster now. */
  get view(): ClusterView {
    return this.#router.view;
  }

  /** Creates `key`; refuses if it exists. Rejects with ClientError. */
  async put(key: Bytes, value: Bytes, options?: CallOptions): Promise<PutResult> {
    const response = await this.#write(put, options, (identity) =>
      put.request.encode({ ...identity, key: toBytes(key), value: toBytes(value) }),
    );
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
  async update(key: Bytes, value: Bytes, options?: CallOptions): Promise<UpdateResult> {
    const response = await this.#write(update, options, (identity) =>
      update.request.encode({ ...identity, key: toBytes(key), value: toBytes(value) }),
    );
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
  async get(key: Bytes, options?: CallOptions): Promise<GetResult> {
    const response = await this.#read(get, options, (identity) => get.request.encode({ ...identity, key: toBytes(key) }));
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
  async remove(key: Bytes, options?: CallOptions): Promise<RemoveResult> {
    const response = await this.#write(remove, options, (identity) => remove.request.encode({ ...identity, key: toBytes(key) }));
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #read(method: Method, options: CallOptions | undefined, encode: Encode): Promise<RaftKvResponse> {
    return this.#context.inFlight.run(() =>
      this.#call(method, "read", encode(this.#sessions.identifyRead()), this.#deadline(options), options),
    );
  }

  #write(method: Method, options: CallOptions | undefined, encode: Encode): Promise<RaftKvResponse> {
    const kind = this.#repeatsWrites ? "identified-write" : "write";
    return this.#context.inFlight.run(() => {
      const deadline = this.#deadline(options);
      return this.#sessions.write((identity) => this.#call(method, kind, encode(identity), deadline, options));
    });
  }

  /** The same bytes are sent in every attempt, so that the cluster recognises them. */
  async #call(
    method: Method,
    kind: RoutedCall["kind"],
    message: Uint8Array,
    deadline: Deadline,
    { signal }: CallOptions = {},
  ): Promise<RaftKvResponse> {
    const path = methodPath(raftKvService, method);
    const cancelled = signal === undefined ? {} : { signal };
    const send: RoutedCall["send"] = async (endpoint, time) =>
      method.response.decode(await this.#context.connections.unary(endpoint, { path, message, ...time, ...cancelled }));
    const response = await this.#router.call({ name: method.name.toLowerCase(), kind, send, ...cancelled }, deadline);
    if (response.status === "bad-request") throw new ClientError("ERR_BAD_REQUEST", response.message);
    if (response.status === "overloaded") throw new ClientError("ERR_OVERLOADED", response.message);
    return response;
  }

  #deadline({ timeoutMs = this.#context.timeoutMs }: CallOptions = {}): Deadline {
    checkTimeout(timeoutMs);
    return new Deadline(this.#context.ports.clock, timeoutMs);
  }
}

/** What is left of the statuses when those that the operation can have are taken. */
function redirectOf(method: Method, response: RaftKvResponse): RedirectResult {
  if (response.status === "redirect") return { outcome: "redirect", leader: response.leader };
  throw new ClientError("ERR_REJECTED", `${method.name} was answered with ${response.status}, which is no answer to it`);
}
