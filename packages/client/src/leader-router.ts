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
  /** A read may be sent again although it may have been processed, a write may not. */
  readonly repeatable: boolean;
  /** One attempt. Rejects with RpcError. */
  readonly send: (endpoint: Endpoint, time: AttemptTime) => Promise<RaftKvResponse>;
}

/** Milliseconds that an attempt may take as a whole, and for its connection. */
export interface AttemptTime {
  readonly timeoutMs: number;
  readonly connectMs: number;
}

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
 *   one attempt within the deadline ── outcome ──►  certainly not applied, or a read ──► member backs off ──► select
 *                                                   write that may have been applied ──► ERR_OUTCOME_UNKNOWN
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
    let trouble = "no member could be asked";
    let redirects = 0;
    for (;;) {
      if (this.#closed) throw new ClientError("ERR_CLOSED", "The client is closed");
      if (deadline.passed) throw timedOut(call, deadline, trouble);
      const askedAtMs = this.#options.clock.monotonicMs();
      const member = this.#selection.select();
      if (member === null) {
        await this.#selection.waitForMember(deadline.remainingMs());
        continue;
      }
      const { address } = member.endpoint;
      let response: RaftKvResponse;
      try {
        response = await call.send(member.endpoint, this.#attemptTime(call, deadline));
      } catch (reason) {
        trouble = this.#failed(call, address, askedAtMs, RpcError.from(reason));
        continue;
      }
      if (response.status === "redirect") {
        if (!this.#options.followRedirects) return response;
        redirects += 1;
        trouble = this.#redirected(address, askedAtMs, response.leader, redirects);
      } else if (response.status === "internal-error") {
        if (!call.repeatable) throw outcomeUnknown(call, address, response.message);
        trouble = this.#failedAt(address, askedAtMs, response.message);
      } else {
        this.#selection.answered(address);
        return response;
      }
    }
  }

  /** Calls that wait reject with ERR_CLOSED. */
  close(): void {
    this.#closed = true;
    this.#selection.wakeAll();
  }

  /** What may be repeated leaves time to ask others, if there are any: connecting, and a read. A write is not sent twice: it gets all that is left. */
  #attemptTime(call: RoutedCall, deadline: Deadline): AttemptTime {
    const remainingMs = deadline.remainingMs();
    if (this.#selection.view.members.length === 1) return { timeoutMs: remainingMs, connectMs: remainingMs };
    const connectMs = deadline.shareMs();
    return { timeoutMs: call.repeatable ? connectMs : remainingMs, connectMs };
  }

  /** Returns the sentence for the case that the time ends here. Throws if the call may not be sent again. */
  #failed(call: RoutedCall, address: string, askedAtMs: number, error: RpcError): string {
    if (error.retryable === "never") {
      throw new ClientError("ERR_REJECTED", `${address} rejected the ${call.name}: ${error.codeName}: ${error.message}`, { cause: error });
    }
    if (error.retryable === "maybe-applied" && !call.repeatable) throw outcomeUnknown(call, address, error.message, error);
    return this.#failedAt(address, askedAtMs, error.message);
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

function outcomeUnknown(call: RoutedCall, address: string, reason: string, cause?: unknown): ClientError {
  const message = `It is unknown whether the ${call.name} was applied: ${address}: ${reason}`;
  return new ClientError("ERR_OUTCOME_UNKNOWN", message, { cause });
}
