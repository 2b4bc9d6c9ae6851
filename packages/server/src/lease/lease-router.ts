import type { NodeId } from "@raftkv/raft-core";
import { type Clock, type Completion, NodeError } from "@raftkv/raft-node";
import type { LeaderNode } from "./leader-node.ts";
import type { LeaseAnswer, LeaseTime } from "./lease-answer.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";

/** After a member that was asked did not lead, or did not answer (etcd's pause). */
const retryMs = 50;

/** Asks the leader, from another member. */
export interface RemoteLeases {
  keepAlive(leader: NodeId, id: bigint, answer: LeaseAnswer<number>): void;
  timeToLive(leader: NodeId, id: bigint, answer: LeaseAnswer<LeaseTime>): void;
}

export interface LeaseRouterOptions {
  readonly node: Pick<LeaderNode, "isLeader"> & { readonly leader: NodeId };
  readonly keeper: Pick<LeaseKeeper, "keepAlive" | "timeToLive">;
  readonly remote: RemoteLeases;
  readonly clock: Clock;
  /** How long a question may take, with all attempts. */
  readonly timeoutMs: number;
  /** Questions that may wait at once; more fail with ERR_OVERLOADED. */
  readonly countMax: number;
}

/** Brings questions about leases to whoever leads, again while leadership changes, until somebody answers or the time is over. */
export class LeaseRouter {
  readonly options: LeaseRouterOptions;
  /** Nothing is asked any more. */
  isClosed = false;
  private open = 0;

  constructor(options: LeaseRouterOptions) {
    this.options = options;
  }

  /** Succeeds with the seconds that the lease has from now on, 0 if there is no such lease. */
  keepAlive(id: bigint, completion: Completion<number>): void {
    if (this.enter(completion)) new KeepAlive(this, id, completion).ask();
  }

  timeToLive(id: bigint, completion: Completion<LeaseTime>): void {
    if (this.enter(completion)) new TimeToLive(this, id, completion).ask();
  }

  /** What waits fails soon. */
  close(): void {
    this.isClosed = true;
  }

  /** A question was answered. */
  leave(): void {
    this.open--;
  }

  private enter(completion: Completion<never>): boolean {
    const { countMax } = this.options;
    if (this.open >= countMax) {
      completion.fail(new NodeError("ERR_OVERLOADED", "safe", `${countMax} questions about leases are waiting already`));
      return false;
    }
    this.open++;
    return true;
  }
}

abstract class Question<Value> implements LeaseAnswer<Value> {
  protected readonly id: bigint;
  private readonly router: LeaseRouter;
  private readonly completion: Completion<Value>;
  private readonly deadlineMs: number;

  constructor(router: LeaseRouter, id: bigint, completion: Completion<Value>) {
    const { clock, timeoutMs } = router.options;
    this.id = id;
    this.router = router;
    this.completion = completion;
    this.deadlineMs = clock.monotonicMs() + timeoutMs;
  }

  ask(): void {
    const { node, keeper, remote } = this.router.options;
    if (node.isLeader) this.askHere(keeper);
    else if (node.leader !== 0) this.askThere(remote, node.leader);
    else this.notPrimary();
  }

  succeed(value: Value): void {
    this.router.leave();
    this.completion.succeed(value);
  }

  notPrimary(): void {
    const { clock, node, timeoutMs } = this.router.options;
    if (this.router.isClosed) this.fail(new NodeError("ERR_STOPPED", "safe", "This member is stopping"));
    else if (clock.monotonicMs() + retryMs <= this.deadlineMs) clock.setTimer(retryMs, () => this.ask());
    else if (node.leader === 0) this.fail(new NodeError("ERR_NO_LEADER", "safe", `No leader was found within ${timeoutMs} ms`));
    else this.fail(new NodeError("ERR_TIMED_OUT", "safe", `The leader did not answer within ${timeoutMs} ms`));
  }

  fail(error: NodeError): void {
    this.router.leave();
    this.completion.fail(error);
  }

  protected abstract askHere(keeper: LeaseRouterOptions["keeper"]): void;
  protected abstract askThere(remote: RemoteLeases, leader: NodeId): void;
}

class KeepAlive extends Question<number> {
  protected askHere(keeper: LeaseRouterOptions["keeper"]): void {
    keeper.keepAlive(this.id, this);
  }

  protected askThere(remote: RemoteLeases, leader: NodeId): void {
    remote.keepAlive(leader, this.id, this);
  }
}

class TimeToLive extends Question<LeaseTime> {
  protected askHere(keeper: LeaseRouterOptions["keeper"]): void {
    keeper.timeToLive(this.id, this);
  }

  protected askThere(remote: RemoteLeases, leader: NodeId): void {
    remote.timeToLive(leader, this.id, this);
  }
}
