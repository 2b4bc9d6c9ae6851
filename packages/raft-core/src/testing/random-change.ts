import type { Configuration, ConfigurationChange, MemberOperation, NodeId } from "../types.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Draws a change: of one member or of several, in one step or jointly. Most keep the cluster from shrinking to nothing. */
export function drawChange(random: SeededRandom, ids: readonly NodeId[], { voters }: Configuration): ConfigurationChange {
  const isSmall = voters.length <= 2 && !random.oneIn(8);
  const count = random.oneIn(2) ? 1 : 1 + random.below(3);
  const operations = Array.from({ length: count }, (): MemberOperation => {
    const id = ids[random.below(ids.length)] ?? 1;
    const types = isSmall ? (["addVoter"] as const) : (["addVoter", "addVoter", "addLearner", "remove", "update"] as const);
    return { type: types[random.below(types.length)] ?? "addVoter", id };
  });
  const transition = (["auto", "auto", "implicit", "explicit"] as const)[random.below(4)] ?? "auto";
  return { transition, operations, context: new Uint8Array(0) };
}
