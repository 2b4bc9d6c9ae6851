import { createHash } from "node:crypto";
import type { NodeId } from "@raftkv/raft-core";
import { ConfigError } from "../config/config-error.ts";
import type { InitialMember } from "../config/initial-cluster.ts";

/** Ids of a founding member: those that etcd would compute, so that tools show the same. */
export interface FoundingMember {
  readonly id: bigint;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

export interface FoundingCluster {
  readonly clusterId: bigint;
  /** Ascending by id. */
  readonly members: readonly FoundingMember[];
}

/** First 8 bytes of SHA-1 over the sorted peer URLs and the cluster's token. */
export function foundingMemberId(peerUrls: readonly string[], token: string): bigint {
  return firstEight(Buffer.from([...peerUrls].sort().join("") + token));
}

/** Throws ConfigError if two members would get the same id. */
export function foundCluster(members: readonly InitialMember[], token: string): FoundingCluster {
  const founding = members
    .map(({ name, peerUrls }) => {
      const urls = peerUrls.map((url) => url.href).sort();
      return { id: foundingMemberId(urls, token), name, peerUrls: urls };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const nodeIds = new Set(founding.map((member) => nodeIdOf(member.id)));
  if (nodeIds.size < founding.length || nodeIds.has(0)) {
    throw new ConfigError("Two members would get the same id, change --initial-cluster-token");
  }
  const ids = Buffer.alloc(8 * founding.length);
  for (const [at, member] of founding.entries()) ids.writeBigUInt64BE(member.id, 8 * at);
  return { clusterId: firstEight(ids), members: founding };
}

/** The core counts in safe integers: the low 53 bits of a member's id name it there. */
export function nodeIdOf(memberId: bigint): NodeId {
  return Number(memberId & 0x1f_ffff_ffff_ffffn);
}

/** As etcdctl shows ids. */
export function idText(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}

function firstEight(bytes: Buffer): bigint {
  return createHash("sha1").update(bytes).digest().readBigUInt64BE(0);
}
