import type { NodeId } from "../types.ts";
import { majorityOf } from "./majority.ts";

export type VoteOutcome = "won" | "lost" | "pending";

/** The answers one candidate got in one term. The first answer of each voter counts, others are ignored. */
export class VoteTally {
  private readonly voters: readonly NodeId[];
  private readonly granted: NodeId[] = [];
  private readonly denied: NodeId[] = [];

  constructor(voters: readonly NodeId[]) {
    this.voters = voters;
  }

  record(voter: NodeId, granted: boolean): VoteOutcome {
    const isNew = !this.granted.includes(voter) && !this.denied.includes(voter);
    if (isNew && this.voters.includes(voter)) (granted ? this.granted : this.denied).push(voter);
    return this.outcome();
  }

  private outcome(): VoteOutcome {
    const needed = majorityOf(this.voters.length);
    if (this.granted.length >= needed) return "won";
    return this.voters.length - this.denied.length < needed ? "lost" : "pending";
  }
}
