import { electionMutations } from "./election-mutations.ts";
import { leaderMutations } from "./leader-mutations.ts";
import { logMutations } from "./log-mutations.ts";
import { membershipMutations } from "./membership-mutations.ts";
import type { Mutation } from "./mutation.ts";
import { repairMutations } from "./repair-mutations.ts";
import { resignationMutations } from "./resignation-mutations.ts";

/** Mistakes planted in the core, each of which some test run has to notice. */
export const mutations: readonly Mutation[] = [
  ...electionMutations,
  ...logMutations,
  ...membershipMutations,
  ...leaderMutations,
  ...repairMutations,
  ...resignationMutations,
];
