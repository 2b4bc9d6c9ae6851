export { ClusterInvariants, type ClusterInvariantsOptions } from "./cluster-invariants.ts";
export type { DurableView, ObservedMember } from "./observed-member.ts";
