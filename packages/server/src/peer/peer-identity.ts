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

/** Why a peer is not spoken to. `store_lost`: it is the member that it says, with another store than the cluster knows. */
export interface PeerRefusal {
  readonly kind: "mismatch" | "store_lost";
  /** For people, here and at the peer. */
  readonly reason: string;
}

/**
 * Why a Hello is refused, or null if it is meant for this member and comes from another one of its cluster, with the store that the
 * cluster knows, on a stream of one of these lanes.
 */
export function helloRefusal(hello: Hello, self: PeerIdentity, stores: MemberStores, lanes: readonly Lane[]): PeerRefusal | null {
  const mismatch = mismatchOf(hello, self, stores, lanes);
  return mismatch === null ? storeRefusal(hello.fromMember, hello.storeId, stores) : { kind: "mismatch", reason: mismatch };
}

/** Why a member of this cluster is not spoken to any more. The cluster may have learned of another store since its Hello. */
export function storeRefusal(member: bigint, storeId: bigint, stores: MemberStores): PeerRefusal | null {
  const reason = stores.refusal(member, storeId);
  return reason === null ? null : { kind: "store_lost", reason };
}

function mismatchOf(hello: Hello, self: PeerIdentity, stores: MemberStores, lanes: readonly Lane[]): string | null {
  const from = idText(hello.fromMember);
  if (hello.clusterId !== self.clusterId) {
    return `cluster ID mismatch: member ${from} is of cluster ${idText(hello.clusterId)}, this is ${idText(self.clusterId)}`;
  }
  if (hello.toMember !== self.memberId) {
    return `member ID mismatch: ${idText(hello.toMember)} was called, this is ${idText(self.memberId)}`;
  }
  if (hello.fromMember === self.memberId) return `member ID mismatch: ${from} is this member itself`;
  if (!stores.isMember(hello.fromMember)) return `member ${from} is not of this cluster`;
  if (hello.protocolVersion < 1) return `peer protocol version ${hello.protocolVersion} is not supported, 1 is the lowest`;
  if (!lanes.includes(hello.lane)) return `lane mismatch: a stream for ${hello.lane} came, expected is ${lanes.join(" or ")}`;
  return hello.storeId === 0n ? `member ${from} does not name its store` : null;
}
