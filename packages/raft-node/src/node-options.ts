import type { Configuration, CoreOptions, NodeId, SoftState } from "@raftkv/raft-core";
import type { LogStore } from "./log-store.ts";
import type { PeerTransport } from "./peer-transport.ts";
import type { Clock, Logger, Random } from "./ports.ts";
import type { StateMachine } from "./state-machine.ts";
import { type Timing, timingOf } from "./timing.ts";

export interface RaftNodeOptions<Result> {
  readonly id: NodeId;
  /** Opened, and not empty (see `bootstrapLog`); the node closes it. */
  readonly logStore: LogStore;
  /** The members that founded the group: who they are to a member whose damaged store has no snapshot left. Default null: such a one fails. */
  readonly founders?: Configuration | null;
  readonly stateMachine: StateMachine<Result>;
  /** Not yet started; the node starts and closes it. */
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Between two heartbeats of the leader. Default 100. */
  readonly heartbeatMs?: number;
  /** Time-outs are drawn from [electionMs, 2 * electionMs). At least five heartbeats. Default 1000. */
  readonly electionMs?: number;
  /**
   * A leader answers reads without asking the others while a lease lasts. `driftPpm` is how much faster than its clock another
   * member's may run. Every member must have it, and a dead leader is then noticed only by the election time-out. Default null: off.
   */
  readonly leaseReads?: { readonly driftPpm: number } | null;
  /** Of members with equal logs the one of the highest priority is elected. Default 0. */
  readonly priority?: number;
  /** The number of appends under way to a follower follows what its link can take. Default false: always up to 256. */
  readonly adaptiveWindow?: boolean;
  /** Applied commands after which a snapshot is taken, if they take enough bytes, see `SnapshotPolicy`. Default 100,000. */
  readonly snapshotCount?: number;
  /** Entries kept behind a snapshot for followers that are a little late; on disk no more than `catchUpBytes`. Default 1,000. */
  readonly catchUpEntries?: number;
  /** Applied entries of so many bytes stay in memory for members that are behind, beside what a leader's followers lack. Default 16 MiB. */
  readonly catchUpBytes?: number;
  /** How long a proposal or a read may take. Default 5 s and two election time-outs, as etcd. */
  readonly requestTimeoutMs?: number;
  /** Proposals, and as many reads, that may wait at once; more fail with `ERR_OVERLOADED`. Default 65,536. */
  readonly requestsMax?: number;
  /** Bytes of proposals that may wait at once; more fail with `ERR_OVERLOADED`. Default 256 MiB. */
  readonly requestBytesMax?: number;
  /** How a member is called in the log. Default: its id. */
  readonly nameOf?: (id: NodeId) => string;
  /** Role or leader changed. */
  readonly onRoleChange?: (state: SoftState) => void;
  /** The members are others from now on, for a transport that has to reach them. Called once at the start, too. */
  readonly onConfiguration?: (configuration: Configuration) => void;
  /** The node can't go on: its storage or its state machine failed. It has stopped acknowledging; the process should end. */
  readonly onFatal: (error: Error) => void;
}

export type ResolvedNodeOptions<Result> = Required<RaftNodeOptions<Result>> & { readonly timing: Timing };

/** The options with their defaults filled in. Throws RangeError for what can't work. */
export function resolveNodeOptions<Result>(options: RaftNodeOptions<Result>): ResolvedNodeOptions<Result> {
  const timing = timingOf({ heartbeatMs: options.heartbeatMs ?? 100, electionMs: options.electionMs ?? 1000 });
  return {
    founders: null,
    leaseReads: null,
    priority: 0,
    adaptiveWindow: false,
    snapshotCount: 100_000,
    catchUpEntries: 1_000,
    catchUpBytes: 16 * 1024 * 1024,
    requestTimeoutMs: 5_000 + 2 * timing.electionMs,
    requestsMax: 65_536,
    requestBytesMax: 256 * 1024 * 1024,
    nameOf: String,
    onRoleChange: () => {},
    onConfiguration: () => {},
    ...options,
    heartbeatMs: timing.heartbeatMs,
    electionMs: timing.electionMs,
    timing,
  };
}

/**
 * Members that learn at the same moment that the leader is gone stand for election one after the other. The distance is counted in whole
 * ticks of clocks that don't tick together, so two of them are at least one: time for the news to reach both, for a question, an answer
 * and a vote on a busy disk. With less, votes split, and that costs an election time-out.
 */
const HINT_STAGGER_TICKS = 2;

/** What the core has to know. */
/** Entries that a learner may lack and still become a voter: each may hold many commands. */
const PROMOTION_LAG_MAX = 1_000;

export function coreOptionsOf<Result>({ id, timing, leaseReads, priority, adaptiveWindow }: ResolvedNodeOptions<Result>): CoreOptions {
  const { tickMs, heartbeatTicks, electionTicks } = timing;
  const lease = leaseReads === null ? null : { driftPpm: leaseReads.driftPpm, tickMs };
  return {
    id,
    heartbeatTicks,
    electionTicks,
    hintStaggerTicks: HINT_STAGGER_TICKS,
    priority,
    adaptiveWindow,
    leaseReads: lease,
    commitMayWait: true,
    promotionLagMax: PROMOTION_LAG_MAX,
  };
}
