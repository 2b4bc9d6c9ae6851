import type { Hello, Lane } from "@raftkv/api";
import { idText } from "../cluster/identity.ts";
import type { MemberStores } from "../cluster/member-stores.ts";

/** The protocol between members. A member speaks this version and all before it. */
export const peerProtocolVersion = 1;

/** Who this member is to its peers. */
export interface PeerIdentity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly name: string;
  /** Of its log store; not 0. */
  readonly storeId: bigint;
}

export function helloTo(self: PeerIdentity, toMember: bigint, lane: Lane): Hello {
  const { clusterId, memberId, name, storeId } = self;
  return { clusterId, fromMember: memberId, toMember, protocolVersion: peerProtocolVersion, name, storeId, lane };
}

/**
 * Why a Hello is refused, or null if it is meant for this member and comes from one of its cluster, with the store that the cluster
 * knows, on a stream of one of these lanes.
 */
export function helloError(hello: Hello, self: PeerIdentity, stores: MemberStores, lanes: readonly Lane[]): string | null {
  const from = idText(hello.fromMember);
  if (hello.clusterId !== self.clusterId) {
    return `cluster ID mismatch: member ${from} is of cluster ${idText(hello.clusterId)}, this is ${idText(self.clusterId)}`;
  }
  if (hello.toMember !== self.memberId) {
    return `member ID mismatch: ${idText(hello.toMember)} was called, this is ${idText(self.memberId)}`;
  }
  if (!stores.isMember(hello.fromMember)) return `member ${from} is not of this cluster`;
  if (hello.protocolVersion < 1) return `peer protocol version ${hello.protocolVersion} is not supported, 1 is the lowest`;
  if (!lanes.includes(hello.lane)) return `lane mismatch: a stream for ${hello.lane} came, expected is ${lanes.join(" or ")}`;
  if (hello.storeId === 0n) return `member ${from} does not name its store`;
  return stores.refusal(hello.fromMember, hello.storeId);
}
