import type { ServiceContext } from "../service-context.ts";

interface HeaderMessage {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: bigint;
  readonly raftTerm: bigint;
}

/** A response header for the generated messages, in which all 64-bit numbers are bigints. */
export function headerMessage(context: ServiceContext, revision: number): HeaderMessage {
  const { clusterId, memberId, node } = context;
  return { clusterId, memberId, revision: BigInt(revision), raftTerm: BigInt(node.term) };
}
