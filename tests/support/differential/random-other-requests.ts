import type { SeededRandom } from "@raftkv/simulator";

/** As v3electionpb.LeaderKey. */
export interface Seat {
  readonly name: string;
  readonly key: string;
  readonly rev: bigint;
  readonly lease: bigint;
}

/** A request of leases, the cluster, maintenance, locks, elections or health that needs no state of the key-value store. */
export type OtherRequest =
  | { readonly method: "keepAlive"; readonly id: bigint }
  | { readonly method: "status" | "hash" | "memberList" | "defragment" | "snapshot" | "health" }
  | { readonly method: "moveLeader"; readonly target: bigint }
  | { readonly method: "lock"; readonly name: string; readonly lease: bigint }
  | { readonly method: "unlock"; readonly key: string }
  | { readonly method: "campaign"; readonly name: string; readonly lease: bigint; readonly value: string }
  | { readonly method: "leader" | "observe"; readonly name: string }
  | { readonly method: "proclaim"; readonly leader: Seat; readonly value: string }
  | { readonly method: "resign"; readonly leader: Seat };

/** Locks and seats have names of their own for each lease: nobody waits for another, which would end by a deadline. */
export function randomOtherRequest(random: SeededRandom, seatRevisions: ReadonlyMap<string, bigint>): OtherRequest {
  const lease = BigInt(1 + random.below(5));
  const [lock, name, value] = [`lock${lease}`, `seat${lease}`, `v${random.below(50)}`];
  const seat = (): Seat => ({ name, key: `${name}/${lease.toString(16)}`, rev: seatRevisions.get(name) ?? 7n, lease });
  const draw = random.below(100);
  if (draw < 20) return { method: "keepAlive", id: lease };
  if (draw < 27) return { method: random.pick(["status", "hash", "memberList", "health"] as const) };
  if (draw < 28) return { method: random.pick(["defragment", "snapshot"] as const) };
  if (draw < 30) return { method: "moveLeader", target: BigInt(random.below(3)) };
  if (draw < 45) return { method: "lock", name: lock, lease };
  if (draw < 55) return { method: "unlock", key: random.oneIn(8) ? "" : `${lock}/${lease.toString(16)}` };
  if (draw < 70) return { method: "campaign", name, lease, value };
  if (draw < 78) return { method: "leader", name };
  if (draw < 80) return { method: "observe", name };
  if (draw < 92) return { method: "proclaim", leader: seat(), value };
  return { method: "resign", leader: seat() };
}
