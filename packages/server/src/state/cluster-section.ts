import { create, fromBinary, raftkvStateV1 as state, toBinary } from "@raftkv/api";
import type { Member } from "../cluster/member-directory.ts";
import type { Alarm } from "./alarm-table.ts";

/** What is replicated beside the keys. */
export interface ClusterState {
  readonly members: readonly Member[];
  readonly alarms: readonly Alarm[];
}

/** The members and alarms as a snapshot holds them. The same ones give the same bytes. */
export function encodeClusterSection({ members, alarms }: ClusterState): Uint8Array {
  const section = create(state.ClusterSectionSchema, {
    members: members.map((member) => ({ ...member, peerUrls: [...member.peerUrls], clientUrls: [...member.clientUrls] })),
    alarms: alarms.map(({ memberId, kind }) => ({ memberID: memberId, alarm: kind })),
  });
  return toBinary(state.ClusterSectionSchema, section);
}

/** Throws on malformed bytes. */
export function decodeClusterSection(bytes: Uint8Array): ClusterState {
  const section = fromBinary(state.ClusterSectionSchema, bytes);
  const members = section.members.map(({ id, name, peerUrls, clientUrls, storeId }) => ({ id, name, peerUrls, clientUrls, storeId }));
  const alarms = section.alarms.map(({ memberID, alarm }) => ({ memberId: memberID, kind: alarm }));
  return { members, alarms };
}
