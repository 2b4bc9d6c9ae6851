import { type Codec, methodPath, RpcError, StatusCode } from "@raftkv/raft-rpc";
import type { CallOptions } from "../call-options.ts";
import type { ClientContext } from "../client-context.ts";
import { ClientError } from "../client-error.ts";
import { checkTimeout } from "../client-options.ts";
import { initialView } from "../cluster-view.ts";
import { Deadline } from "../deadline.ts";
import type { Endpoint } from "../endpoint.ts";
import { MemberSelection } from "../member-selection.ts";
import { isOfTransport, judge, rejection } from "./etcd-refusal.ts";

/** A unary method of etcd's API, by which a message becomes bytes and bytes an answer. */
export interface EtcdMethod<Request, Response> {
  /** `/etcdserverpb.KV/Range`. */
  readonly path: string;
  /** For messages: `Range`. */
  readonly name: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

/**
 * "read": may be sent again at any time. "idempotent": a write that changes nothing the second time, so may be sent again too. "once": only
 * what was certainly not applied is sent again.
 */
export type Repetition = "read" | "idempotent" | "once";

/** Milliseconds that an attempt may take as a whole, and for its connection. */
export interface AttemptTime {
  readonly timeoutMs: number;
  readonly connectMs: number;
}

/** Something that any member can do, as the router may try it. */
export interface RoutedAttempt<Response> {
  /** For messages: `Range`. */
  readonly name: string;
  readonly repetition: Repetition;
  /** One attempt. Rejects with RpcError. */
  readonly attempt: (endpoint: Endpoint, time: AttemptTime) => Promise<Response>;
}

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
 *     └── back off ◄─┤   may be repeated, or certainly not applied
 *                    ├─► may have been applied, must be so once ──► ERR_OUTCOME_UNKNOWN
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

  /** A unary call. Rejects with ClientError, and with what the encoder throws. */
  async call<Request, Response>(
    repetition: Repetition,
    method: EtcdMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const message = method.request.encode(request);
    const attempt: RoutedAttempt<Response>["attempt"] = (endpoint, time) => this.#attempt(endpoint, method, message, time, options);
    return this.#context.inFlight.run(() => this.route({ name: method.name, repetition, attempt }, options));
  }

  /** Tries until a member answers; it is not counted among the calls in flight. Rejects with ClientError. */
  async route<Response>(call: RoutedAttempt<Response>, options: CallOptions): Promise<Response> {
    const { name, repetition, attempt } = call;
    const deadline = this.#deadline(options);
    let trouble: Trouble = { text: "no member could be asked" };
    let inDoubt = false;
    for (;;) {
      if (this.#closed) throw new ClientError("ERR_CLOSED", "The client is closed");
      checkNotAborted(name, options);
      if (deadline.passed) throw inDoubt ? outcomeUnknown(name, trouble) : timedOut(name, deadline, trouble);
      const askedAtMs = this.#context.ports.clock.monotonicMs();
      const member = this.#selection.select();
      if (member === null) {
        await this.#selection.waitForMember(deadline.remainingMs(), options.signal);
        continue;
      }
      const { endpoint } = member;
      try {
        const response = await attempt(endpoint, this.#attemptTime(repetition, deadline));
        this.#selection.answered(endpoint.address);
        return response;
      } catch (reason) {
        const error = RpcError.from(reason);
        checkNotAborted(name, options);
        trouble = { text: `${endpoint.address}: ${error.message}`, cause: error };
        inDoubt = mayHaveBeenApplied(call, endpoint, trouble, error) || inDoubt;
        this.#context.onEvent({ kind: "failure", from: endpoint.address, reason: error.message });
        this.#selection.failed(endpoint.address, askedAtMs);
      }
    }
  }

  /** One attempt at one member. Rejects with ClientError: ERR_UNREACHABLE if it did not answer. */
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
        // Code 2: it did answer, though nobody can tell from the code what it means.
        if (judge(error) === "refused" || error.code === StatusCode.UNKNOWN) throw rejection(method.name, endpoint.address, error);
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

  async #attempt<Request, Response>(
    endpoint: Endpoint,
    method: EtcdMethod<Request, Response>,
    message: Uint8Array,
    time: AttemptTime,
    { signal }: CallOptions,
  ): Promise<Response> {
    const call = { path: method.path, message, ...time, ...(signal === undefined ? {} : { signal }) };
    return method.response.decode(await this.#context.connections.unary(endpoint, call));
  }

  /** What may be sent again leaves time to ask others, if there are any. */
  #attemptTime(repetition: Repetition, deadline: Deadline): AttemptTime {
    const remainingMs = deadline.remainingMs();
    if (this.#context.endpoints.length === 1) return { timeoutMs: remainingMs, connectMs: remainingMs };
    const connectMs = deadline.shareMs();
    return { timeoutMs: repetition === "once" ? remainingMs : connectMs, connectMs };
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

/** Does a failed attempt leave it open whether a write was applied? Throws ClientError if the call ends with it. */
function mayHaveBeenApplied(
  call: { readonly name: string; readonly repetition: Repetition },
  endpoint: Endpoint,
  trouble: Trouble,
  error: RpcError,
): boolean {
  const { name, repetition } = call;
  const judgement = judge(error);
  if (judgement === "not-applied") return false;
  if (judgement === "refused" && (repetition === "read" || !isOfTransport(error))) throw rejection(name, endpoint.address, error);
  if (repetition === "once") throw outcomeUnknown(name, trouble);
  return repetition === "idempotent";
}

/** The last reason why a call is not done yet. */
interface Trouble {
  readonly text: string;
  readonly cause?: RpcError;
}

function outcomeUnknown(name: string, { text, cause }: Trouble): ClientError {
  return new ClientError("ERR_OUTCOME_UNKNOWN", `It is unknown whether the ${name} was applied: ${text}`, { cause });
}

function timedOut(name: string, deadline: Deadline, { text, cause }: Trouble): ClientError {
  const message = `The ${name} found no member that answers within ${deadline.timeoutMs} ms; last try: ${text}`;
  return new ClientError("ERR_TIMEOUT", message, { cause });
}
