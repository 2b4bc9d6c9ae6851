import type { NodeId } from "../types.ts";
import { majorityOf, reachedByMajority } from "./majority.ts";

/** The two halves that decide together (dissertation 4.3). `outgoing` is empty unless the configuration is joint; no id is twice in a half. */
export interface VoterSets {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
}

/** Used again by every call, which therefore allocates nothing: there is one for every append response. */
const values: number[] = [];

/**
 * The largest value that a majority of each half has reached: the commit index over match indexes (paper 5.3), the confirmed
 * position over acknowledged ones. An empty half has reached everything, so that without any voters the answer is Infinity.
 * `valueOf` is 0 for who has reached nothing, and does not ask for a quorum itself.
 */
export function reachedByQuorum(sets: VoterSets, valueOf: (id: NodeId) => number): number {
  const byVoters = reachedByHalf(sets.voters, valueOf);
  return sets.outgoing.length === 0 ? byVoters : Math.min(byVoters, reachedByHalf(sets.outgoing, valueOf));
}

/** Whether it holds for a majority of each half. An empty half asks for nothing. */
export function isQuorum(sets: VoterSets, holds: (id: NodeId) => boolean): boolean {
  return holdsForHalf(sets.voters, holds) && holdsForHalf(sets.outgoing, holds);
}

function reachedByHalf(half: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  if (half.length === 0) return Number.POSITIVE_INFINITY;
  let count = 0;
  for (const id of half) values[count++] = valueOf(id);
  values.length = count;
  return reachedByMajority(values);
}

function holdsForHalf(half: readonly NodeId[], holds: (id: NodeId) => boolean): boolean {
  if (half.length === 0) return true;
  let count = 0;
  for (const id of half) if (holds(id)) count++;
  return count >= majorityOf(half.length);
}
