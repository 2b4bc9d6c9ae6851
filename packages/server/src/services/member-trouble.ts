import type { QuarantineEvidence } from "@raftkv/raft-core";
import type { MemberRepairStatus, RaftNode } from "@raftkv/raft-node";

/** Why a member does not take part as the others think it does. */
export interface MemberTrouble {
  /** As `/health` gives reasons: capitals, for machines. */
  readonly reason: "MEMBER QUARANTINED" | "MEMBER UNDER REPAIR";
  /** For people, with what is known. */
  readonly sentence: string;
}

/** Null for a sound member. */
export function memberTrouble<Result>(node: Pick<RaftNode<Result>, "repair" | "quarantine">): MemberTrouble | null {
  const { quarantine, repair } = node;
  if (quarantine !== null) return { reason: "MEMBER QUARANTINED", sentence: quarantineSentence(quarantine) };
  if (repair !== null) return { reason: "MEMBER UNDER REPAIR", sentence: repairSentence(repair) };
  return null;
}

/** What there is to do, in this version. An emptied directory would only make a store that the other members refuse. */
const wayOut =
  "It stays out until it is replaced, and the others go on while a majority of the voters is sound. To replace it takes a change of members, " +
  "which an embedding program can make (RaftNode.changeMembership), and the etcd API of this version does not offer. Without a sound majority, " +
  "begin a new cluster from what a sound member holds";

function quarantineSentence(evidence: QuarantineEvidence): string {
  const detail = evidence.kind === "storage" ? evidence.description : evidence.kind;
  return `this member can't stand by what it acknowledged and takes no part: ${detail}. ${wayOut}`;
}

function repairSentence({ from, target, verified }: MemberRepairStatus): string {
  const progress = target === 0 ? "no leader has said how far its log goes" : `verified ${verified} of ${target}`;
  return `this member lost entries from log index ${from} on and is under repair (${progress})`;
}
