import type { NodeId } from "../types.ts";
import type { VoterSets } from "./joint.ts";
import { majorityOf } from "./majority.ts";

export type VoteOutcome = "won" | "lost" | "pending";

/**
 * The answers one candidate got in one term (paper 5.2). The first answer of each member counts, others are ignored. Anybody's answer
 * is kept: who is a voter is asked only when the votes are counted, because the configuration may change during an election.
 */
export class VoteTally {
  private readonly answers = new Map<NodeId, boolean>();

  record(voter: NodeId, granted: boolean): void {
    if (!this.answers.has(voter)) this.answers.set(voter, granted);
  }

  isGrantedBy(voter: NodeId): boolean {
    return this.answers.get(voter) === true;
  }

  /** Won by winning both halves, lost as soon as one of them is lost (dissertation 4.3). An empty half is won. */
  outcome(sets: VoterSets): VoteOutcome {
    const byVoters = this.outcomeOfHalf(sets.voters);
    const byOutgoing = this.outcomeOfHalf(sets.outgoing);
    if (byVoters === byOutgoing) return byVoters;
    return byVoters === "lost" || byOutgoing === "lost" ? "lost" : "pending";
  }

  /** How many of the members in question answered what. */
  counts(isCounted: (id: NodeId) => boolean): { readonly granted: number; readonly refused: number } {
    let granted = 0;
    let refused = 0;
    for (const [voter, isGranted] of this.answers) {
      if (!isCounted(voter)) continue;
      if (isGranted) granted++;
      else refused++;
    }
    return { granted, refused };
  }

  private outcomeOfHalf(half: readonly NodeId[]): VoteOutcome {
    if (half.length === 0) return "won";
    let granted = 0;
    let missing = 0;
    for (const voter of half) {
      const answer = this.answers.get(voter);
      if (answer === undefined) missing++;
      else if (answer) granted++;
    }
    const needed = majorityOf(half.length);
    if (granted >= needed) return "won";
    return granted + missing >= needed ? "pending" : "lost";
  }
}
