import type { NodeId } from "../types.ts";
import type { TestCluster } from "./test-cluster.ts";

/** `ticks` pass at everybody, one after the other; after each the cluster comes to rest. `ids` are those whose clock runs, default all. */
export function passTime(cluster: TestCluster, ticks: number, ids = cluster.members.map((member) => member.id)): void {
  for (let tick = 0; tick < ticks; tick++) {
    for (const id of ids) cluster.tick(id);
    cluster.settle();
  }
}

/** Who leads in its own eyes. */
export function leadersOf(cluster: TestCluster): readonly NodeId[] {
  return cluster.members.filter((member) => member.core.role === "leader").map((member) => member.id);
}
