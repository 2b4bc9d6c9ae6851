/** A member that answered. Ids are uint64. */
export interface ReachableMember {
  readonly state: "up";
  /** Address that it answered at. */
  readonly endpoint: string;
  readonly id: bigint;
  /** Empty if the cluster does not know it, or it has not made itself known yet. */
  readonly name: string;
  readonly role: "leader" | "follower" | "learner";
  /** Id of the leader as this member sees it, 0 for none. */
  readonly leaderId: bigint;
  readonly term: number;
  readonly raftIndex: number;
  readonly appliedIndex: number;
  readonly dbSizeBytes: number;
  readonly version: string;
  /** What the member itself complains of. */
  readonly errors: readonly string[];
}

/** A member, or a configured endpoint, that did not answer. */
export interface UnreachableMember {
  readonly state: "down";
  /** Null: the member has told no address yet. */
  readonly endpoint: string | null;
  /** Null: nobody knows which member it is. */
  readonly id: bigint | null;
  readonly name: string;
  readonly reason: string;
}

export type MemberStatus = ReachableMember | UnreachableMember;

export interface ClusterStatus {
  /** Null if no member answered. */
  readonly clusterId: bigint | null;
  /** By name, then by endpoint. */
  readonly members: readonly MemberStatus[];
}

/** The leader that answered with the highest term: a deposed one may not know it yet. */
export function leaderOf(status: ClusterStatus): ReachableMember | null {
  let leader: ReachableMember | null = null;
  for (const member of status.members) {
    if (member.state === "up" && member.role === "leader" && (leader === null || member.term > leader.term)) leader = member;
  }
  return leader;
}
