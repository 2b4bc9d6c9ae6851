import type { RpcClock, RpcRandom } from "@raftkv/raft-rpc";
import { onAbort } from "./abort-listeners.ts";
import { backOffMs } from "./back-off.ts";
import {
  type ClusterView,
  memberAt,
  nextAttemptMs,
  selectMember,
  type ViewMember,
  withAnswer,
  withFailure,
  withLeader,
} from "./cluster-view.ts";
import type { Endpoint } from "./endpoint.ts";

/** Whom to ask next: keeps the view of the cluster, and lets calls wait until somebody may be asked. */
export class MemberSelection {
  readonly #clock: RpcClock;
  readonly #random: RpcRandom;
  readonly #wakers = new Set<() => void>();
  #view: ClusterView;

  constructor(view: ClusterView, ports: { readonly clock: RpcClock; readonly random: RpcRandom }) {
    this.#view = view;
    this.#clock = ports.clock;
    this.#random = ports.random;
  }

  get view(): ClusterView {
    return this.#view;
  }

  /** The leader, or else anybody who may be asked now. Null: nobody; `waitForMember` waits. */
  select(): ViewMember | null {
    const nowMs = this.#clock.monotonicMs();
    return selectMember(this.#view, "leader", nowMs) ?? selectMember(this.#view, "any", nowMs);
  }

  canBeAsked(address: string, atMs: number): boolean {
    return (memberAt(this.#view, address)?.retryAtMs ?? 0) <= atMs;
  }

  answered(address: string): void {
    this.#replace(withAnswer(this.#view, address));
  }

  named(leader: Endpoint): void {
    this.#replace(withLeader(this.#view, leader));
  }

  /** An attempt that began at `askedAtMs` was of no use: the member is left alone for a while. */
  failed(address: string, askedAtMs: number): void {
    const known = memberAt(this.#view, address);
    // Calls that ran beside each other and failed together count once.
    if (known === null || known.retryAtMs > askedAtMs) return;
    this.#replace(withFailure(this.#view, address, this.#clock.monotonicMs() + backOffMs(known.failures + 1, this.#random)));
  }

  /** Until a member may be asked, a leader is known, or the signal aborts; at most `delayMsMax`. */
  waitForMember(delayMsMax: number, signal?: AbortSignal): Promise<void> {
    const delayMs = Math.max(0, Math.min(nextAttemptMs(this.#view) - this.#clock.monotonicMs(), delayMsMax));
    return new Promise((resolve) => {
      let undo = (): void => undefined;
      const wake = (): void => {
        timer.cancel();
        undo();
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = this.#clock.setTimer(delayMs, wake);
      this.#wakers.add(wake);
      undo = onAbort(signal, wake);
    });
  }

  /** Whoever waits looks again. */
  wakeAll(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  #replace(view: ClusterView): void {
    const leaderIsNews = view.leader !== null && view.leader !== this.#view.leader;
    this.#view = view;
    if (leaderIsNews) this.wakeAll();
  }
}
