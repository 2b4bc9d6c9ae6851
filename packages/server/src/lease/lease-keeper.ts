import type { LeaseTable } from "@raftkv/kvstore";
import type { LogIndex } from "@raftkv/raft-core";
import type { Clock, Completion, NodeError, Timer } from "@raftkv/raft-node";
import type { LeaderNode } from "./leader-node.ts";
import type { LeaseAnswer, LeaseTime } from "./lease-answer.ts";
import { LeaseCounts } from "./lease-counts.ts";
import { LeaseTenure } from "./lease-tenure.ts";

/** As etcd: leases may outlive their time by as much. */
const scanMs = 500;
/** Leases that a new leader takes over in one turn. */
const takeOverMax = 2_048;

export interface LeaseKeeperOptions {
  readonly node: LeaderNode;
  readonly store: { readonly leases: Pick<LeaseTable, "get" | "list" | "count"> };
  readonly clock: Clock;
  readonly electionMs: number;
}

/**
 * Measures the time of leases while this member leads: keeps them alive, ends those that ran out. What the cluster agrees on, which leases
 * there are, is in the store; the clock of one member decides only when it proposes an end.
 *
 * A member that is no longer leader does no harm. It renews only after a majority confirmed its leadership, and what it proposes is refused
 * under any other term than its own.
 */
export class LeaseKeeper {
  readonly counts = new LeaseCounts();
  private readonly options: LeaseKeeperOptions;
  /** Of the leadership that was noticed last, 0 while this member does not lead. */
  private term = 0;
  /** Null until everything from before the leadership is applied. */
  private tenure: LeaseTenure | null = null;
  private timer: Timer | null = null;

  constructor(options: LeaseKeeperOptions) {
    this.options = options;
    this.armTimer();
  }

  /** Waiting renewals are answered as by a member that does not lead. */
  stop(): void {
    this.timer?.cancel();
    this.endTenure();
  }

  /**
   * Leadership came or went. What is granted from now on gets its own time; what was granted before the leadership is noticed counts as the
   * work of an earlier leader, and gets the extension too.
   */
  roleChanged(): void {
    this.currentTenure();
  }

  /** The log granted, noted or ended a lease. */
  changed(id: bigint): void {
    this.currentTenure()?.changed(id);
  }

  /** Answers how many seconds the lease has from now on, 0 if there is no such lease. */
  keepAlive(id: bigint, answer: LeaseAnswer<number>): void {
    if (this.leads) this.options.node.read(new KeepAlive(this, this.term, id, answer));
    else answer.notPrimary();
  }

  timeToLive(id: bigint, answer: LeaseAnswer<LeaseTime>): void {
    if (this.leads) this.options.node.read(new TimeToLive(this, this.term, id, answer));
    else answer.notPrimary();
  }

  /** Until the lease runs out, as far as this member knows: undefined unless it leads. */
  remainingMs(id: bigint): number | undefined {
    return this.currentTenure()?.remainingMs(id);
  }

  /** The leases under a leadership that was just proven; null if it is over, or can't answer yet. */
  tenureOf(term: number): LeaseTenure | null {
    const tenure = this.currentTenure();
    return tenure?.term === term ? tenure : null;
  }

  private armTimer(): void {
    this.timer = this.options.clock.setTimer(scanMs, () => {
      this.armTimer();
      this.currentTenure()?.scan();
    });
  }

  private get leads(): boolean {
    this.currentTenure();
    return this.term !== 0;
  }

  /** Notices first whether leadership has come or gone. */
  private currentTenure(): LeaseTenure | null {
    const { node } = this.options;
    if (!node.isLeader) this.endTenure();
    else if (node.term !== this.term) this.noticeTerm();
    return this.tenure;
  }

  private noticeTerm(): void {
    const { role, term } = this.options.node.status();
    if (role !== "leader") return this.endTenure();
    if (term === this.term) return;
    this.endTenure();
    this.term = term;
    // What earlier leaders noted and ended must be applied before anything is concluded from what is in the store.
    this.options.node.read({
      succeed: () => this.beginTenure(term),
      fail: () => this.forgetTerm(term),
    });
  }

  /** Leadership is noticed anew. */
  private forgetTerm(term: number): void {
    if (this.term === term) this.endTenure();
  }

  private beginTenure(term: number): void {
    const { node, store, clock, electionMs } = this.options;
    if (this.term !== term || !node.isLeader || node.term !== term) return this.forgetTerm(term);
    this.tenure = new LeaseTenure({ node, store, clock, term, extensionMs: electionMs, counts: this.counts });
    const ids: bigint[] = [];
    for (const { id } of store.leases.list()) ids.push(id);
    this.takeOver(this.tenure, ids, 0);
  }

  /** In slices, so that a hundred thousand leases don't keep a new leader from its heartbeats. */
  private takeOver(tenure: LeaseTenure, ids: readonly bigint[], from: number): void {
    const { store, clock } = this.options;
    if (tenure !== this.tenure) return;
    const end = Math.min(from + takeOverMax, ids.length);
    for (const id of ids.slice(from, end)) {
      const lease = store.leases.get(id);
      if (lease !== null) tenure.takeOver(lease);
    }
    if (end < ids.length) clock.setTimer(0, () => this.takeOver(tenure, ids, end));
  }

  private endTenure(): void {
    const { tenure } = this;
    this.term = 0;
    this.tenure = null;
    tenure?.end();
  }
}

/** A question that is answered when leadership, under the term in which it was asked, is proven. */
abstract class Question<Value> implements Completion<LogIndex> {
  private readonly keeper: LeaseKeeper;
  private readonly term: number;
  protected readonly id: bigint;
  protected readonly answer: LeaseAnswer<Value>;

  constructor(keeper: LeaseKeeper, term: number, id: bigint, answer: LeaseAnswer<Value>) {
    this.keeper = keeper;
    this.term = term;
    this.id = id;
    this.answer = answer;
  }

  succeed(): void {
    const tenure = this.keeper.tenureOf(this.term);
    if (tenure === null) this.answer.notPrimary();
    else this.ask(tenure);
  }

  fail(error: NodeError): void {
    this.answer.fail(error);
  }

  protected abstract ask(tenure: LeaseTenure): void;
}

class KeepAlive extends Question<number> {
  protected ask(tenure: LeaseTenure): void {
    tenure.renew(this.id, this.answer);
  }
}

class TimeToLive extends Question<LeaseTime> {
  protected ask(tenure: LeaseTenure): void {
    this.answer.succeed(tenure.timeToLive(this.id));
  }
}
