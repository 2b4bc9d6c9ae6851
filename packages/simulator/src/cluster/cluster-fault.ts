import type { SeededRandom } from "../timeline/seeded-random.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";

/** One decision of a fault plan, as data: a plan can be printed, repeated and shortened. */
export type ClusterFault =
  | { readonly kind: "crash" | "losePower"; readonly nodes: readonly string[] }
  | { readonly kind: "startAll" | "heal" }
  | { readonly kind: "isolate"; readonly node: string }
  | { readonly kind: "clog"; readonly from: string; readonly to: string; readonly durationMs: number }
  | { readonly kind: "reset"; readonly one: string; readonly other: string }
  | { readonly kind: "pause"; readonly node: string; readonly durationMs: number };

const kinds = ["crash", "losePower", "startAll", "heal", "isolate", "clog", "reset", "pause"] as const;
const durationMsMax = 2_000;
/** One crash in so many takes all members at once. */
const allOneIn = 3;

/** Draws the next fault for members of these names, of which there are at least two. */
export function drawFault(random: SeededRandom, names: readonly string[]): ClusterFault {
  const kind = random.pick(kinds);
  const node = random.pick(names);
  const other = random.pick(names.filter((name) => name !== node));
  switch (kind) {
    case "crash":
    case "losePower":
      return { kind, nodes: random.oneIn(allOneIn) ? names : [node] };
    case "isolate":
      return { kind, node };
    case "clog":
      return { kind, from: node, to: other, durationMs: random.between(1, durationMsMax) };
    case "reset":
      return { kind, one: node, other };
    case "pause":
      return { kind, node, durationMs: random.between(1, durationMsMax) };
    default:
      return { kind };
  }
}

/** Lets a fault happen now, between two runs or in one. Members that are down already stay so. */
export function applyFault(cluster: SimulatedCluster, fault: ClusterFault): void {
  const { internet } = cluster.simulation;
  switch (fault.kind) {
    case "crash":
    case "losePower":
      for (const node of fault.nodes.map((name) => cluster.nodeNamed(name))) if (node.isRunning) cluster[fault.kind](node);
      return;
    case "startAll":
      // In an event, so that the failure of a start is the failure of the run.
      cluster.simulation.schedule(0, () => void cluster.startAll());
      return;
    case "heal":
      internet.healAll();
      return;
    case "isolate":
      for (const other of cluster.nodes.filter(({ name }) => name !== fault.node)) {
        internet.cut(fault.node, other.name);
        internet.cut(other.name, fault.node);
      }
      return;
    case "clog":
      internet.clog(fault.from, fault.to, fault.durationMs);
      return;
    case "reset":
      internet.resetConnections(fault.one, fault.other);
      return;
    case "pause": {
      const node = cluster.nodeNamed(fault.node);
      node.pause();
      cluster.simulation.schedule(fault.durationMs, () => node.resume());
    }
  }
}
