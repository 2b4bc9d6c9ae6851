import { etcdserverpb } from "@raftkv/api";
import {
  type ClientStreamCall,
  type ClientStreamHandlers,
  Metadata,
  methodPath,
  RpcError,
  type RpcTimer,
  StatusCode,
} from "@raftkv/raft-rpc";
import type { ClientContext } from "../../client-context.ts";
import type { Endpoint } from "../../endpoint.ts";
import type { Subscription } from "./subscription.ts";
import { cancelRequest, createRequest, progressRequest } from "./watch-request.ts";
import { decodeWatchResponse, type WatchResponse } from "./watch-response.ts";

const path = methodPath(etcdserverpb.watchService, etcdserverpb.watchService.methods.watch);
/** The server ends the stream when it has lost its leader, so that a member that is cut off does not stay silent for ever. */
const requireLeader = (): Metadata => Metadata.of({ hasleader: "true" });
/** Progress of all watches of the stream, or a watch that was refused. */
const noWatchId = -1n;
const connectMsMax = 2_000;

export interface WatchStreamOwner {
  /** A watch was created: the member works. */
  streamWorks(stream: WatchStream): void;
  /** The stream is over, whoever ended it. Its subscriptions are those that it still had. */
  streamEnded(stream: WatchStream, error: RpcError, subscriptions: readonly Subscription[]): void;
}

/**
 * Many watches on one stream to one member. Requests wait here while the stream takes no more. Answers to creations come in the order of the
 * requests (etcd), which is how a watch learns its id.
 */
export class WatchStream implements ClientStreamHandlers {
  readonly endpoint: Endpoint;
  readonly #context: ClientContext;
  readonly #owner: WatchStreamOwner;
  readonly #call: ClientStreamCall;
  readonly #outbox: Uint8Array[] = [];
  readonly #creating: Subscription[] = [];
  readonly #byId = new Map<bigint, Subscription>();
  readonly #idOf = new Map<Subscription, bigint>();
  #writable = true;
  #over = false;
  #patience: RpcTimer | null = null;

  /** Throws RpcError. */
  constructor(context: ClientContext, endpoint: Endpoint, owner: WatchStreamOwner) {
    this.#context = context;
    this.endpoint = endpoint;
    this.#owner = owner;
    const connectMs = Math.min(connectMsMax, context.timeoutMs);
    this.#call = context.connections.stream(endpoint, { path, handlers: this, connectMs, metadata: requireLeader() });
  }

  create(subscription: Subscription): void {
    this.#creating.push(subscription);
    this.#send(createRequest(subscription.wish));
    this.#patience ??= this.#context.ports.clock.setTimer(this.#context.timeoutMs, () => this.#lostPatience());
  }

  /** Nothing more is told to it. One that is being created is cancelled when its id is known. */
  cancel(subscription: Subscription): void {
    const id = this.#idOf.get(subscription);
    if (id === undefined) return;
    this.#forget(id, subscription);
    this.#send(cancelRequest(id));
  }

  requestProgress(): void {
    this.#send(progressRequest());
  }

  /** Ends the stream. Its owner is told. */
  close(): void {
    this.#ended(new RpcError(StatusCode.CANCELLED, "The stream is not needed any more"));
  }

  // ---- ClientStreamHandlers

  onMetadata(): void {
    // It says nothing that a watch needs.
  }

  onMessage(message: Uint8Array): void {
    if (this.#over) return;
    let response: WatchResponse;
    try {
      response = decodeWatchResponse(message);
    } catch (cause) {
      this.#ended(new RpcError(StatusCode.INTERNAL, "A response to watches can't be decoded", { cause }));
      return;
    }
    if (response.created) this.#onCreated(response);
    else if (response.watchId === noWatchId) this.#onProgress(response);
    else this.#onUpdate(response);
  }

  onDrain(): void {
    this.#writable = true;
    this.#flush();
  }

  onClose(error: RpcError | null): void {
    this.#ended(error ?? new RpcError(StatusCode.UNAVAILABLE, "The server ended the stream of watches"));
  }

  // ---- Details

  #onCreated(response: WatchResponse): void {
    const subscription = this.#creating.shift();
    if (subscription === undefined) {
      this.#ended(new RpcError(StatusCode.INTERNAL, "The server created a watch that nobody asked for"));
      return;
    }
    this.#restartPatience();
    this.#owner.streamWorks(this);
    if (response.canceled) {
      subscription.cancelled(response);
      return;
    }
    // It was closed meanwhile.
    if (!subscription.wanted) {
      this.#send(cancelRequest(response.watchId));
      return;
    }
    this.#byId.set(response.watchId, subscription);
    this.#idOf.set(subscription, response.watchId);
    subscription.taken(response.header.revision);
    if (subscription.progressWanted) this.requestProgress();
  }

  #onProgress(response: WatchResponse): void {
    for (const subscription of [...this.#byId.values()]) subscription.receiveProgress(response);
  }

  #onUpdate(response: WatchResponse): void {
    const subscription = this.#byId.get(response.watchId);
    // Events that were on their way when the watch was cancelled.
    if (subscription === undefined) return;
    if (response.canceled) {
      this.#forget(response.watchId, subscription);
      subscription.cancelled(response);
      return;
    }
    subscription.receive(response);
  }

  #forget(id: bigint, subscription: Subscription): void {
    this.#byId.delete(id);
    this.#idOf.delete(subscription);
  }

  #send(request: Uint8Array): void {
    if (this.#over) return;
    this.#outbox.push(request);
    this.#flush();
  }

  #flush(): void {
    let sent = 0;
    while (this.#writable && sent < this.#outbox.length) {
      const request = this.#outbox[sent];
      sent += 1;
      if (request !== undefined) this.#writable = this.#call.send(request);
    }
    this.#outbox.splice(0, sent);
  }

  /** A member that takes requests and answers none is as good as gone. */
  #lostPatience(): void {
    const { address } = this.endpoint;
    this.#ended(new RpcError(StatusCode.UNAVAILABLE, `${address} did not create a watch within ${this.#context.timeoutMs} ms`));
  }

  #restartPatience(): void {
    this.#patience?.cancel();
    this.#patience = null;
    if (this.#creating.length === 0) return;
    this.#patience = this.#context.ports.clock.setTimer(this.#context.timeoutMs, () => this.#lostPatience());
  }

  #ended(error: RpcError): void {
    if (this.#over) return;
    this.#over = true;
    this.#patience?.cancel();
    this.#call.cancel();
    const left = new Set([...this.#byId.values(), ...this.#creating]);
    this.#owner.streamEnded(
      this,
      error,
      [...left].filter((subscription) => subscription.wanted),
    );
  }
}
