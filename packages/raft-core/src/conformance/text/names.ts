import type { ReplicationState, RoleName } from "../../types.ts";

/** What the reference calls the roles of a member. */
export const roleNames: Readonly<Record<RoleName, string>> = {
  follower: "StateFollower",
  preCandidate: "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
};

/** What the reference calls the ways in which a leader feeds a peer. */
export const replicationNames: Readonly<Record<ReplicationState, string>> = {
  probe: "StateProbe",
  replicate: "StateReplicate",
  snapshot: "StateSnapshot",
};

/** Ids are hexadecimal in log lines, at the ends of messages and in configurations, and decimal elsewhere. */
export function hex(id: number): string {
  return id.toString(16);
}
