import {
  CodecError,
  decodeLeaseKeepAliveCall,
  decodeLeaseTimeToLiveCall,
  encodeLeaseKeepAliveAnswer,
  encodeLeaseTimeToLiveAnswer,
  type Hello,
} from "@raftkv/api";
import type { Clock, NodeError, Timer } from "@raftkv/raft-node";
import { type Dispatcher, StatusCode, type UnaryCall } from "@raftkv/raft-rpc";
import type { MemberStores } from "../cluster/member-stores.ts";
import type { LeaseAnswer, LeaseTime } from "../lease/lease-answer.ts";
import type { LeaseKeeper } from "../lease/lease-keeper.ts";
import { helloRefusal, type PeerIdentity } from "./peer-identity.ts";

/** A call is answered after so long; what is not known by then has to be asked for again. */
const answerMs = 200;
const unknownTtl = -1;

export interface LeaseCallServiceOptions {
  readonly self: PeerIdentity;
  readonly stores: MemberStores;
  readonly keeper: LeaseKeeper;
  readonly clock: Clock;
}

/** Answers what followers pass on to their leader about leases. Only members of this cluster are answered. */
export class LeaseCallService {
  private readonly options: LeaseCallServiceOptions;

  constructor(options: LeaseCallServiceOptions) {
    this.options = options;
  }

  register(dispatcher: Dispatcher): void {
    dispatcher.addUnary("/raftkv.peer.v1.RaftPeer/LeaseKeepAlive", (message, call) => this.keepAlive(message, call));
    dispatcher.addUnary("/raftkv.peer.v1.RaftPeer/LeaseTimeToLive", (message, call) => this.timeToLive(message, call));
  }

  private keepAlive(message: Uint8Array, call: UnaryCall): void {
    const request = this.accept(call, () => decodeLeaseKeepAliveCall(message));
    if (request === null) return;
    const { keeper, clock } = this.options;
    const answers = new KeepAliveAnswers(call, request.ids.length, clock);
    for (const [at, id] of request.ids.entries()) keeper.keepAlive(id, answers.answerAt(at));
  }

  private timeToLive(message: Uint8Array, call: UnaryCall): void {
    const request = this.accept(call, () => decodeLeaseTimeToLiveCall(message));
    if (request !== null) this.options.keeper.timeToLive(request.id, new TimeToLiveAnswer(call));
  }

  /** Null if the call can't be served, in which case it has been answered. */
  private accept<Request extends { readonly hello: Hello }>(call: UnaryCall, decode: () => Request): Request | null {
    const { self, stores } = this.options;
    try {
      const request = decode();
      const refusal = helloRefusal(request.hello, self, stores, ["leases"]);
      if (refusal === null) return request;
      call.fail(StatusCode.FAILED_PRECONDITION, refusal.reason);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      call.fail(StatusCode.INTERNAL, `malformed lease call: ${error.message}`);
    }
    return null;
  }
}

/** Answers a call when all of its leases are answered, or it has waited long enough, or leadership can't be proven. */
class KeepAliveAnswers {
  private readonly call: UnaryCall;
  private readonly ttls: number[];
  private readonly timer: Timer;
  private awaited: number;
  private isAnswered = false;

  constructor(call: UnaryCall, count: number, clock: Clock) {
    this.call = call;
    this.ttls = new Array<number>(count).fill(unknownTtl);
    this.awaited = count;
    this.timer = clock.setTimer(answerMs, () => this.respond());
    if (count === 0) this.respond();
  }

  answerAt(position: number): LeaseAnswer<number> {
    return {
      succeed: (ttl) => {
        this.ttls[position] = ttl;
        this.awaited--;
        if (this.awaited === 0) this.respond();
      },
      notPrimary: () => this.fail(notPrimary),
      fail: (error) => this.fail(error.message),
    };
  }

  private respond(): void {
    if (this.finish()) this.call.respond(encodeLeaseKeepAliveAnswer({ ttls: this.ttls }));
  }

  private fail(sentence: string): void {
    if (this.finish()) this.call.fail(StatusCode.UNAVAILABLE, sentence);
  }

  /** False if the call was answered already. */
  private finish(): boolean {
    if (this.isAnswered) return false;
    this.isAnswered = true;
    this.timer.cancel();
    return true;
  }
}

class TimeToLiveAnswer implements LeaseAnswer<LeaseTime> {
  private readonly call: UnaryCall;

  constructor(call: UnaryCall) {
    this.call = call;
  }

  succeed(time: LeaseTime): void {
    this.call.respond(encodeLeaseTimeToLiveAnswer(time));
  }

  notPrimary(): void {
    this.call.fail(StatusCode.UNAVAILABLE, notPrimary);
  }

  fail(error: NodeError): void {
    this.call.fail(StatusCode.UNAVAILABLE, error.message);
  }
}

const notPrimary = "this member does not lead";
