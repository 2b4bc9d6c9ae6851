import { create, fromBinary, raftkvStateV1 as state, toBinary } from "@raftkv/api";
import type { Member } from "../cluster/member-directory.ts";

/** The member directory as a snapshot holds it. The same members give the same bytes. */
export function encodeClusterSection(members: readonly Member[]): Uint8Array {
  const section = create(state.ClusterSectionSchema, {
    members: members.map((member) => ({ ...member, peerUrls: [...member.peerUrls], clientUrls: [...member.clientUrls] })),
  });
  return toBinary(state.ClusterSectionSchema, section);
}

/** Throws on malformed bytes. */
export function decodeClusterSection(bytes: Uint8Array): readonly Member[] {
  const section = fromBinary(state.ClusterSectionSchema, bytes);
  return section.members.map(({ id, name, peerUrls, clientUrls, storeId }) => ({ id, name, peerUrls, clientUrls, storeId }));
}
