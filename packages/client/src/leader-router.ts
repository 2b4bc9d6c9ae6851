import type { RaftKvResponse } from "@raftkv/api";
import { type RpcClock, RpcError, type RpcRandom } from "@raftkv/raft-rpc";
import { ClientError } from "./client-error.ts";
import type { ClientEvent } from "./client-options.ts";
import { type ClusterView, initialView } from "./cluster-view.ts";
import type { Deadline } from "./deadline.ts";
import { type Endpoint, usableEndpoint } from "./endpoint.ts";
import { MemberSelection } from "./member-selection.ts";
import type { LeaderHint } from "./result.ts";

export interface RouterOptions {
  readonly endpoints: readonly Endpoint[];
  readonly clock: RpcClock;
  readonly random: RpcRandom;
  readonly followRedirects: boolean;
  readonly onEvent: (event: ClientEvent) => void;
}

/** One operation, as the router may send it to any member. */
export interface RoutedCall {
  /** For messages: `put`. */
  readonly name: string;
  /**
   * "read": may be sent again at any time. "identified-write": the cluster recognises it when it comes again, for a while. "write": is sent
   * again only if it was certainly not applied.
   */
  readonly kind: "read" | "identified-write" | "write";
  readonly signal?: AbortSignal;
  /** One attempt. Rejects with RpcError. */
  readonly send: (endpoint: Endpoint, time: AttemptTime) => Promise<RaftKvResponse>;
}

/** Milliseconds that an attempt may take as a whole, and for its connection. */
export interface AttemptTime {
  readonly timeoutMs: number;
  readonly connectMs: number;
}

/** A call on its way. */
interface Course {
  readonly call: RoutedCall;
  readonly deadline: Deadline;
  /** The last reason why it is not done yet. */
  trouble: string;
  redirects: number;
  /** When the first attempt began that may have been applied. */
  doubtfulSinceMs: number | null;
}

/** For so long after an attempt that may have been applied a write is sent again: the cluster remembers its client for 60 s at least. */
const repeatMsMax = 30_000;

/** Redirects that one call follows at once; from then on each is answered with a pause, for the members disagree. */
export const promptRedirectsMax = 3;

/**
 * Brings calls to the leader.
 *
 *        ┌───────────── pause until a member may be asked ◄──────────┐ nobody
 *        ▼                                                           │
 *   select from the view: leader, else any ──────────────────────────┘
 *        │                                          answer as leader ──► done, leader remembered
 *        ▼                                          redirect ──► view names the leader ──► select
 *   one attempt within the deadline ── outcome ──►  not applied, a read, or an identified write ──► member backs off ──► select
 *                                                   another write that may have been applied ──► ERR_OUTCOME_UNKNOWN
 */
export class LeaderRouter {
  readonly #options: RouterOptions;
  readonly #selection: MemberSelection;
  #closed = false;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#selection = new MemberSelection(initialView(options.endpoints), options);
  }

  get view(): ClusterView {
    return this.#selection.view;
  }

  /** Resolves to an answer that is final: any status but `internal-error` and, if redirects are followed, `redirect`. Rejects with ClientError. */
  async call(call: RoutedCall, deadline: Deadline): Promise<RaftKvResponse> {
    const course: Course = { call, deadline, trouble: "no member could be asked", redirects: 0, doubtfulSinceMs: null };
    for (;;) {
      this.#checkGoingOn(course);
      const askedAtMs = this.#options.clock.monotonicMs();
      const member = this.#selection.select();
      if (member === null) {
        await this.#selection.waitForMember(deadline.remainingMs(), call.signal);
        continue;
      }
      const { address } = member.endpoint;
      let response: RaftKvResponse;
      try {
        response = await call.send(member.endpoint, this.#attemptTime(call, deadline));
      } catch (reason) {
        this.#failed(course, address, askedAtMs, RpcError.from(reason));
        continue;
      }
      if (response.status === "redirect" && this.#options.followRedirects) {
        course.redirects += 1;
        course.trouble = this.#redirected(address, askedAtMs, response.leader, course.redirects);
      } else if (response.status === "internal-error") {
        this.#inDoubt(course, address, askedAtMs, response.message);
      } else {
        // An earlier attempt is not done by what the cluster says of a later one that it could not recognise.
        if (refusals.has(response.status) && course.doubtfulSinceMs !== null) throw outcomeUnknown(call, `${address}: ${response.message}`);
        if (response.status !== "redirect") this.#selection.answered(address);
        return response;
      }
    }
  }

  /** Calls that wait reject with ERR_CLOSED. */
  close(): void {
    this.#closed = true;
    this.#selection.wakeAll();
  }

  /** What may be repeated leaves time to ask others, if there are any. What is not sent twice gets all that is left. */
  #attemptTime(call: RoutedCall, deadline: Deadline): AttemptTime {
    const remainingMs = deadline.remainingMs();
    if (this.#selection.view.members.length === 1) return { timeoutMs: remainingMs, connectMs: remainingMs };
    const connectMs = deadline.shareMs();
    return { timeoutMs: call.kind === "write" ? remainingMs : connectMs, connectMs };
  }

  /** Throws ClientError if the call ends here. */
  #checkGoingOn({ call, deadline, trouble, doubtfulSinceMs }: Course): void {
    if (this.#closed)
      throw doubtfulSinceMs === null ? new ClientError("ERR_CLOSED", "The client is closed") : outcomeUnknown(call, trouble);
    if (call.signal?.aborted === true) {
      throw new ClientError("ERR_ABORTED", `The ${call.name} was given up by its signal`, { cause: call.signal.reason });
    }
    const doubtMs = doubtfulSinceMs === null ? 0 : this.#options.clock.monotonicMs() - doubtfulSinceMs;
    if (doubtMs > repeatMsMax || (deadline.passed && doubtfulSinceMs !== null)) throw outcomeUnknown(call, trouble);
    if (deadline.passed) throw timedOut(call, deadline, trouble);
  }

  /** Throws ClientError if the call may not be sent again. */
  #failed(course: Course, address: string, askedAtMs: number, error: RpcError): void {
    const { call } = course;
    if (call.signal?.aborted === true) return;
    if (error.retryable === "never") {
      if (course.doubtfulSinceMs !== null) throw outcomeUnknown(call, `${address}: ${error.message}`, error);
      const message = `${address} rejected the ${call.name}: ${error.codeName}: ${error.message}`;
      throw new ClientError("ERR_REJECTED", message, { cause: error });
    }
    if (error.retryable === "maybe-applied") this.#inDoubt(course, address, askedAtMs, error.message, error);
    else course.trouble = this.#failedAt(address, askedAtMs, error.message);
  }

  /** The attempt may have been processed. Throws ClientError if it may not be sent again. */
  #inDoubt(course: Course, address: string, askedAtMs: number, reason: string, cause?: RpcError): void {
    const { call } = course;
    if (call.kind === "write") throw outcomeUnknown(call, `${address}: ${reason}`, cause);
    if (call.kind === "identified-write") course.doubtfulSinceMs ??= askedAtMs;
    course.trouble = this.#failedAt(address, askedAtMs, reason);
  }

  #redirected(address: string, askedAtMs: number, leader: LeaderHint | null, redirects: number): string {
    this.#options.onEvent({ kind: "redirect", from: address, leader });
    const target = leader === null ? null : usableEndpoint(leader.clientUrls);
    if (leader === null || target === null) {
      this.#selection.failed(address, askedAtMs);
      return `${address}: ${noTarget(leader)}`;
    }
    this.#selection.named(target);
    // Asking again at once leads nowhere new: to itself, to a member that has just failed, or around in a circle.
    const leaderCanBeAsked = this.#selection.canBeAsked(target.address, askedAtMs);
    if (target.address === address || !leaderCanBeAsked || redirects > promptRedirectsMax) {
      this.#selection.failed(address, askedAtMs);
    }
    return `${address}: the leader should be ${nameOf(leader)} at ${target.address}`;
  }

  /** An attempt was of no use. */
  #failedAt(address: string, askedAtMs: number, reason: string): string {
    this.#options.onEvent({ kind: "failure", from: address, reason });
    this.#selection.failed(address, askedAtMs);
    return `${address}: ${reason}`;
  }
}

/** Statuses of requests that were not executed, whatever became of earlier attempts. */
const refusals: ReadonlySet<RaftKvResponse["status"]> = new Set(["bad-request", "session-lost", "overloaded"] as const);

function noTarget(leader: LeaderHint | null): string {
  if (leader === null) return "it knows no leader";
  return `the leader ${nameOf(leader)} has no usable client address among ${leader.clientUrls.join(", ") || "none"}`;
}

/** A member has no name until it has made itself known. */
function nameOf(leader: LeaderHint): string {
  return leader.name === "" ? `member ${leader.id.toString(16)}` : leader.name;
}

function timedOut(call: RoutedCall, deadline: Deadline, trouble: string): ClientError {
  return new ClientError("ERR_TIMEOUT", `The ${call.name} found no leader within ${deadline.timeoutMs} ms; last try: ${trouble}`);
}

function outcomeUnknown(call: RoutedCall, trouble: string, cause?: unknown): ClientError {
  return new ClientError("ERR_OUTCOME_UNKNOWN", `It is unknown whether the ${call.name} was applied: ${trouble}`, { cause });
}
