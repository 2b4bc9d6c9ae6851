import type { Outbox } from "./outbox.ts";
import { reachedByMajority } from "./quorum/majority.ts";
import { LeaderReads } from "./reads/leader-reads.ts";
import { Progress, type ProgressLimits } from "./tracker/progress.ts";
import type { LogIndex, NodeId } from "./types.ts";

export interface LeadershipStart {
  readonly self: NodeId;
  readonly voters: readonly NodeId[];
  /** Index of the empty entry that opens the term. */
  readonly termStart: LogIndex;
  readonly limits: ProgressLimits;
  readonly outbox: Outbox;
}

/** What only the leader of a term knows. It is made when the term is won and gone when the office is. */
export class Leadership {
  readonly kind = "leader";
  readonly termStart: LogIndex;
  /** Everyone else, ascending by id. */
  readonly followers: readonly Progress[];
  readonly reads: LeaderReads;
  /** Payload bytes of entries of this term that are not applied yet. */
  uncommittedBytes = 0;
  heartbeatElapsed = 0;
  heardElapsed = 0;
  /** One value per voter, overwritten by every count. */
  private readonly scratch: number[];

  constructor(start: LeadershipStart) {
    this.termStart = start.termStart;
    this.followers = start.voters.filter((id) => id !== start.self).map((id) => new Progress(id, start.termStart, start.limits));
    this.reads = new LeaderReads(start.self, start.outbox);
    this.scratch = start.voters.map(() => 0);
  }

  progressOf(id: NodeId): Progress | undefined {
    for (const follower of this.followers) if (follower.id === id) return follower;
    return undefined;
  }

  /** Highest index that is durable at a majority, `ownDurable` being this member's. */
  replicatedIndex(ownDurable: LogIndex): LogIndex {
    for (let i = 0; i < this.followers.length; i++) this.scratch[i] = this.followers[i]?.match ?? 0;
    this.scratch[this.followers.length] = ownDurable;
    return reachedByMajority(this.scratch);
  }

  /** Highest read position that a majority has answered; the leader answers its own `issued` at once. */
  confirmedPosition(issued: number): number {
    for (let i = 0; i < this.followers.length; i++) this.scratch[i] = this.followers[i]?.readPosition ?? 0;
    this.scratch[this.followers.length] = issued;
    return reachedByMajority(this.scratch);
  }
}
