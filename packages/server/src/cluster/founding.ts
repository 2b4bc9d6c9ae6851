import { type Configuration, votersOnly } from "@raftkv/raft-core";
import { type FoundingCluster, nodeIdOf } from "./identity.ts";
import type { Member } from "./member-directory.ts";

/** The members that a new cluster begins with: nobody has started yet. */
export function founders(cluster: FoundingCluster): readonly Member[] {
  return cluster.members.map(({ id, peerUrls }) => ({ id, name: "", peerUrls, clientUrls: [], storeId: 0n }));
}

export function foundingConfiguration(cluster: FoundingCluster): Configuration {
  return votersOnly(cluster.members.map((member) => nodeIdOf(member.id)));
}
