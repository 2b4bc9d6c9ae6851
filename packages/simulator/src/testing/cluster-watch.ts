import type { CoreStatus, HardState, LogEntry, LogIndex, NodeId, Term } from "@raftkv/raft-core";
import { ClusterInvariants, type DurableView, type ObservedMember } from "@raftkv/raft-core/testing";
import type { CoreInspection } from "@raftkv/raft-node";
import type { SimulatedCluster } from "../cluster/simulated-cluster.ts";
import type { SimulatedNode } from "../simulated-node.ts";

/** Every founding member begins with the same snapshot. */
const FOUNDATION: LogIndex = 1;

/** The core of a member; while its machine is down, as it was last. */
class ObservedNode implements ObservedMember, DurableView {
  readonly id: NodeId;
  readonly stateHash = null;
  /** What was synced of term and vote only the member itself knows. */
  readonly hardState: HardState | null = null;
  core: CoreInspection;

  constructor(core: CoreInspection) {
    this.core = core;
    this.id = core.status().id;
  }

  get durable(): DurableView {
    return this;
  }

  status(): CoreStatus {
    return this.core.status();
  }

  entryAt(index: LogIndex): LogEntry | undefined {
    return this.core.entryAt(index);
  }

  holds(index: LogIndex, term: Term): boolean {
    const { firstIndex, durableIndex } = this.status();
    return index < firstIndex || (index <= durableIndex && this.entryAt(index)?.term === term);
  }
}

/** From now on every event of the simulation is followed by a look at all members: it fails if one of Raft's promises is broken. */
export function watchInvariants(cluster: SimulatedCluster): ClusterInvariants {
  const invariants = new ClusterInvariants([], { foundation: FOUNDATION });
  const observed = new Map<SimulatedNode, ObservedNode>();
  cluster.simulation.watch(() => {
    for (const node of cluster.nodes) {
      const core = cluster.memberOn(node)?.context.node.inspect();
      if (core === undefined) continue;
      const known = observed.get(node);
      if (known === undefined) {
        const member = new ObservedNode(core);
        observed.set(node, member);
        invariants.add(member);
      } else if (known.core !== core) {
        known.core = core;
        invariants.restarted(known);
      }
      invariants.check(observed.get(node) ?? new ObservedNode(core));
    }
  });
  return invariants;
}
