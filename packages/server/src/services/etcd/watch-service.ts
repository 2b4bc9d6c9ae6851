import type { RaftNode, Random, Timer } from "@raftkv/raft-node";
import type { Dispatcher, StreamCall } from "@raftkv/raft-rpc";
import type { ApplyResult } from "../../state/apply-result.ts";
import type { LeaderLoss } from "../../watch/leader-loss.ts";
import { WatchCall, type WatchCallOptions } from "../../watch/watch-call.ts";
import { type EtcdError, etcdErrors } from "./etcd-error.ts";

export interface WatchServiceOptions extends Omit<WatchCallOptions, "progressMs" | "onOver"> {
  readonly node: Pick<RaftNode<ApplyResult>, "memberState">;
  readonly leaderLoss: LeaderLoss;
  /** Between two looks at which watchers were quiet; for each call up to a tenth more, so that calls drift apart as etcd's do. */
  readonly progressNotifyMs: number;
  readonly random: Random;
}

const jitterShare = 10;
/** How often a member that serves watches looks at itself. */
const lookMs = 1_000;

/** `etcdserverpb.Watch`. Any member serves it, from what it has applied. */
export class WatchService {
  private readonly options: WatchServiceOptions;
  /** The calls that are open, each with what is to be done when it is over. */
  private readonly calls = new Map<WatchCall, () => void>();
  private isClosed = false;
  private timer: Timer | null = null;

  constructor(options: WatchServiceOptions) {
    this.options = options;
  }

  get callCount(): number {
    return this.calls.size;
  }

  register(dispatcher: Dispatcher): void {
    dispatcher.addStream("/etcdserverpb.Watch/Watch", (call) => this.open(call));
  }

  /** Ends all calls, and those that come. Clients go on at another member. */
  close(): void {
    this.isClosed = true;
    this.endAll(etcdErrors.stopped);
  }

  private open(call: StreamCall): void {
    const refusal = this.refusal();
    if (refusal !== null) return call.end(refusal.code, refusal.message);
    const { progressNotifyMs, random, leaderLoss } = this.options;
    const progressMs = progressNotifyMs + random.below(Math.ceil(progressNotifyMs / jitterShare));
    const watchCall = new WatchCall(call, { ...this.options, progressMs, onOver: (over) => this.over(over) });
    const wantsLeader = call.metadata.get("hasleader") === "true";
    const stopListening = wantsLeader ? leaderLoss.listen(() => watchCall.end(etcdErrors.noLeader)) : () => undefined;
    this.calls.set(watchCall, stopListening);
    this.schedule();
  }

  private schedule(): void {
    this.timer ??= this.options.clock.setTimer(lookMs, () => {
      this.timer = null;
      const refusal = this.refusal();
      if (refusal !== null) this.endAll(refusal);
      else if (this.calls.size > 0) this.schedule();
    });
  }

  private endAll(reason: EtcdError): void {
    for (const call of [...this.calls.keys()]) call.end(reason);
  }

  /** A member that has lost something would keep its watchers waiting for what it may never see. */
  private refusal(): EtcdError | null {
    if (this.isClosed) return etcdErrors.stopped;
    const { memberState } = this.options.node;
    switch (memberState) {
      case "sound":
        return null;
      case "repairing":
        return etcdErrors.underRepair;
      case "quarantined":
        return etcdErrors.quarantined;
      default:
        return memberState satisfies never;
    }
  }

  private over(call: WatchCall): void {
    this.calls.get(call)?.();
    this.calls.delete(call);
    if (this.calls.size > 0) return;
    this.timer?.cancel();
    this.timer = null;
  }
}
