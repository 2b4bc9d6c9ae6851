import type { Hello } from "@raftkv/api";
import { idText } from "../cluster/identity.ts";

/** The protocol between members. A member speaks this version and all before it. */
export const peerProtocolVersion = 1;

/** Who this member is to its peers. */
export interface PeerIdentity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly name: string;
}

export function helloTo(self: PeerIdentity, toMember: bigint): Hello {
  return { clusterId: self.clusterId, fromMember: self.memberId, toMember, protocolVersion: peerProtocolVersion, name: self.name };
}

/** Why a Hello is refused, or null if it is meant for this member and comes from one of its cluster. */
export function helloError(hello: Hello, self: PeerIdentity, isMember: (id: bigint) => boolean): string | null {
  if (hello.clusterId !== self.clusterId) {
    return `cluster ID mismatch: member ${idText(hello.fromMember)} is of cluster ${idText(hello.clusterId)}, this is ${idText(self.clusterId)}`;
  }
  if (hello.toMember !== self.memberId) {
    return `member ID mismatch: ${idText(hello.toMember)} was called, this is ${idText(self.memberId)}`;
  }
  if (!isMember(hello.fromMember)) return `member ${idText(hello.fromMember)} is not of this cluster`;
  if (hello.protocolVersion < 1) return `peer protocol version ${hello.protocolVersion} is not supported, 1 is the lowest`;
  return null;
}
