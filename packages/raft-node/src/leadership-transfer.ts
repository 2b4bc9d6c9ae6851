import type { CoreEvent, NodeId, SoftState, TransferOutcome, TransferRefusal, TransferResult } from "@raftkv/raft-core";

/**
 * How it went. `done`: the target leads. `refused`: nothing was begun; `no_target` if this member does not lead or no other voter can
 * take over. `failed`: leadership is where it was, or with somebody else.
 */
export type LeadershipTransferResult =
  | { readonly outcome: "done"; readonly leader: NodeId }
  | { readonly outcome: "refused"; readonly reason: TransferRefusal | "no_target" }
  | { readonly outcome: "failed"; readonly reason: Exclude<TransferResult, "done"> };

interface Waiting {
  readonly target: NodeId;
  readonly deadlineMs: number;
  readonly resolve: (result: LeadershipTransferResult) => void;
}

/**
 * Transfers of leadership that somebody waits for (dissertation 3.10).
 *
 * ```text
 *   follow ─► under way ──► the target is known to lead ──► done
 *                │ └──── the leader gave up, or another one leads ──► failed
 *                └────── deadline ──► failed
 * ```
 */
export class LeadershipTransfer {
  private readonly timeoutMs: number;
  private waiting: readonly Waiting[] = [];
  private currentTarget: NodeId = 0;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  /** This member leads and is handing over: it takes no proposals. */
  get isUnderWay(): boolean {
    return this.currentTarget !== 0;
  }

  /** To whom this leader is handing over, 0 for nobody. */
  get target(): NodeId {
    return this.currentTarget;
  }

  /** Resolves when the end is known of what the core made of the wish. */
  follow(outcome: TransferOutcome, target: NodeId, nowMs: number): Promise<LeadershipTransferResult> {
    if (outcome.outcome === "refused") return Promise.resolve(outcome);
    return new Promise((resolve) => {
      this.waiting = [...this.waiting, { target, deadlineMs: nowMs + this.timeoutMs, resolve }];
    });
  }

  /** The core reported something. */
  observe(event: CoreEvent): void {
    if (event.type === "transferStarted") {
      this.currentTarget = event.target;
    } else if (event.type === "transferEnded") {
      this.currentTarget = 0;
      const { result, target } = event;
      // The target has the votes, or soon will: done when it is known to lead.
      if (result === "done") return;
      this.settle(
        (one) => one.target === target,
        () => ({ outcome: "failed", reason: result }),
      );
    }
  }

  /** The connection to this member was reset: it won't take over. */
  peerDown(peer: NodeId): void {
    this.settle(
      ({ target }) => target === peer,
      () => ({ outcome: "failed", reason: "target_gone" }),
    );
  }

  /** Somebody leads, or nobody. This member itself may be the target. */
  roleChanged({ leader }: SoftState): void {
    if (leader === 0) return;
    this.settle(
      () => true,
      ({ target }) => (target === leader ? { outcome: "done", leader } : { outcome: "failed", reason: "leadership_lost" }),
    );
  }

  expire(nowMs: number): void {
    this.settle(
      ({ deadlineMs }) => deadlineMs <= nowMs,
      () => ({ outcome: "failed", reason: "timeout" }),
    );
  }

  /** This member stops. */
  giveUp(): void {
    this.settle(
      () => true,
      () => ({ outcome: "failed", reason: "leadership_lost" }),
    );
  }

  private settle(isMeant: (waiting: Waiting) => boolean, resultOf: (waiting: Waiting) => LeadershipTransferResult): void {
    if (this.waiting.length === 0) return;
    const settled = this.waiting.filter(isMeant);
    this.waiting = this.waiting.filter((one) => !settled.includes(one));
    for (const one of settled) one.resolve(resultOf(one));
  }
}
