import { type Codec, methodPath, RpcError } from "@raftkv/raft-rpc";
import type { CallOptions } from "../call-options.ts";
import type { ClientContext } from "../client-context.ts";
import { ClientError } from "../client-error.ts";
import { checkTimeout } from "../client-options.ts";
import { initialView } from "../cluster-view.ts";
import { Deadline } from "../deadline.ts";
import type { Endpoint } from "../endpoint.ts";
import { MemberSelection } from "../member-selection.ts";
import { judge, rejection } from "./etcd-refusal.ts";

/** A unary method of etcd's API, by which a message becomes bytes and bytes an answer. */
export interface EtcdMethod<Request, Response> {
  /** `/etcdserverpb.KV/Range`. */
  readonly path: string;
  /** For messages: `Range`. */
  readonly name: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

/** A read may be sent again although it may have been processed. "write": only what was certainly not applied. */
export type CallKind = "read" | "write";

export function etcdMethod<Request, Response>(
  service: { readonly typeName: string; readonly methods: Readonly<Record<string, unknown>> },
  method: { readonly name: string; readonly request: Codec<Request>; readonly response: Codec<Response> },
): EtcdMethod<Request, Response> {
  return {
    path: methodPath({ typeName: service.typeName, methods: {} }, method),
    name: method.name,
    request: method.request,
    response: method.response,
  };
}

/**
 * Sends calls of etcd's API to members, any of which answers all of them: the one that answered last, or else the next that may be asked.
 *
 *   select ──► one attempt within the deadline ──► answer
 *     ▲              │ 14, no connection, no time left for this attempt
 *     └── back off ◄─┤   a read, or certainly not applied
 *                    ├─► a write that may have been applied ──► ERR_OUTCOME_UNKNOWN
 *                    └─► refused ──► ERR_REJECTED, ERR_COMPACTED
 */
export class EtcdRouter {
  readonly #context: ClientContext;
  readonly #selection: MemberSelection;
  #closed = false;

  constructor(context: ClientContext) {
    this.#context = context;
    this.#selection = new MemberSelection(initialView(rotated(context)), context.ports);
  }

  get selection(): MemberSelection {
    return this.#selection;
  }

  /** Rejects with ClientError. */
  call<Request, Response>(
    kind: CallKind,
    method: EtcdMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    return this.#context.inFlight.run(() => this.#route(kind, method, request, options));
  }

  /** One attempt at one member. Rejects with ClientError: ERR_UNREACHABLE if it was certainly not processed. */
  callAt<Request, Response>(
    endpoint: Endpoint,
    method: EtcdMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    return this.#context.inFlight.run(async () => {
      const deadline = this.#deadline(options);
      const timeoutMs = deadline.remainingMs();
      try {
        return await this.#attempt(endpoint, method, method.request.encode(request), { timeoutMs, connectMs: timeoutMs }, options);
      } catch (reason) {
        const error = RpcError.from(reason);
        checkNotAborted(method.name, options);
        if (judge(error) === "refused") throw rejection(method.name, endpoint.address, error);
        throw new ClientError("ERR_UNREACHABLE", `${endpoint.address} did not answer the ${method.name}: ${error.message}`, {
          cause: error,
        });
      }
    });
  }

  /** Calls that wait reject with ERR_CLOSED. */
  close(): void {
    this.#closed = true;
    this.#selection.wakeAll();
  }

  async #route<Request, Response>(
    kind: CallKind,
    method: EtcdMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const deadline = this.#deadline(options);
    const message = method.request.encode(request);
    let trouble: { readonly text: string; readonly cause?: RpcError } = { text: "no member could be asked" };
    for (;;) {
      if (this.#closed) throw new ClientError("ERR_CLOSED", "The client is closed");
      checkNotAborted(method.name, options);
      if (deadline.passed) throw timedOut(method.name, deadline, trouble);
      const askedAtMs = this.#context.ports.clock.monotonicMs();
      const member = this.#selection.select();
      if (member === null) {
        await this.#selection.waitForMember(deadline.remainingMs(), options.signal);
        continue;
      }
      const { endpoint } = member;
      try {
        const response = await this.#attempt(endpoint, method, message, this.#attemptTime(kind, deadline), options);
        this.#selection.answered(endpoint.address);
        return response;
      } catch (reason) {
        const error = RpcError.from(reason);
        checkNotAborted(method.name, options);
        this.#checkRepeatable(kind, method.name, endpoint, error);
        trouble = { text: `${endpoint.address}: ${error.message}`, cause: error };
        this.#context.onEvent({ kind: "failure", from: endpoint.address, reason: error.message });
        this.#selection.failed(endpoint.address, askedAtMs);
      }
    }
  }

  /** Throws ClientError if the call ends with this failure. */
  #checkRepeatable(kind: CallKind, name: string, { address }: Endpoint, error: RpcError): void {
    const judgement = judge(error);
    if (judgement === "refused") throw rejection(name, address, error);
    if (judgement === "not-applied" || kind === "read") return;
    throw new ClientError("ERR_OUTCOME_UNKNOWN", `It is unknown whether the ${name} was applied: ${address}: ${error.message}`, {
      cause: error,
    });
  }

  async #attempt<Request, Response>(
    endpoint: Endpoint,
    method: EtcdMethod<Request, Response>,
    message: Uint8Array,
    time: { readonly timeoutMs: number; readonly connectMs: number },
    { signal }: CallOptions,
  ): Promise<Response> {
    const call = { path: method.path, message, ...time, ...(signal === undefined ? {} : { signal }) };
    return method.response.decode(await this.#context.connections.unary(endpoint, call));
  }

  /** What may be sent again leaves time to ask others, if there are any. */
  #attemptTime(kind: CallKind, deadline: Deadline): { readonly timeoutMs: number; readonly connectMs: number } {
    const remainingMs = deadline.remainingMs();
    if (this.#context.endpoints.length === 1) return { timeoutMs: remainingMs, connectMs: remainingMs };
    const connectMs = deadline.shareMs();
    return { timeoutMs: kind === "read" ? connectMs : remainingMs, connectMs };
  }

  #deadline({ timeoutMs = this.#context.timeoutMs }: CallOptions): Deadline {
    checkTimeout(timeoutMs);
    return new Deadline(this.#context.ports.clock, timeoutMs);
  }
}

/** The endpoints in their order, but from a random one on: clients spread over the members. */
function rotated({ endpoints, ports }: ClientContext): readonly Endpoint[] {
  const first = ports.random.below(endpoints.length);
  return [...endpoints.slice(first), ...endpoints.slice(0, first)];
}

/** Throws ClientError. */
function checkNotAborted(name: string, { signal }: CallOptions): void {
  if (signal?.aborted === true) throw new ClientError("ERR_ABORTED", `The ${name} was given up by its signal`, { cause: signal.reason });
}

function timedOut(name: string, deadline: Deadline, trouble: { readonly text: string; readonly cause?: RpcError }): ClientError {
  const message = `The ${name} found no member that answers within ${deadline.timeoutMs} ms; last try: ${trouble.text}`;
  return new ClientError("ERR_TIMEOUT", message, { cause: trouble.cause });
}
