export { ClusterInvariants, type ClusterInvariantsOptions } from "./cluster-invariants.ts";
export type { DurableView, ObservedMember } from "./observed-member.ts";
export { SeededRandom } from "./seeded-random.ts";
