import type { CoreStatus, HardState, LogEntry, LogIndex, NodeId, Term } from "@raftkv/raft-core";
import { ClusterInvariants, type DurableView, type ObservedMember } from "@raftkv/raft-core/testing";
import type { CoreInspection } from "@raftkv/raft-node";
import type { SimulatedCluster } from "../cluster/simulated-cluster.ts";
import type { SimulatedNode } from "../simulated-node.ts";
import { MetaView } from "./meta-view.ts";

/** Every founding member begins with the same snapshot. */
const FOUNDATION: LogIndex = 1;

/** A core with a disk under it, as it was at some moment. */
class DurableLog implements DurableView {
  readonly hardState: HardState | null = null;
  readonly #core: CoreInspection;

  constructor(core: CoreInspection) {
    this.#core = core;
  }

  holds(index: LogIndex, term: Term): boolean {
    const { firstIndex, durableIndex } = this.#core.status();
    return index < firstIndex || (index <= durableIndex && this.#core.entryAt(index)?.term === term);
  }
}

/** The core of a member; while its machine is down, as it was last. */
class ObservedNode implements ObservedMember, DurableView {
  readonly id: NodeId;
  readonly stateHash = null;
  core: CoreInspection;
  wasUnderRepair = false;
  wasQuarantined = false;
  /** What it held each time before its files were damaged, since it was sound last. */
  owed: readonly DurableLog[] = [];
  readonly #meta: MetaView;
  #log: DurableLog;

  constructor(core: CoreInspection, meta: MetaView) {
    this.core = core;
    this.id = core.status().id;
    this.#meta = meta;
    this.#log = new DurableLog(core);
  }

  get durable(): DurableView {
    return this;
  }

  /** By what its meta file says in both copies. */
  get hardState(): HardState | null {
    return this.#meta.hardState;
  }

  get log(): DurableLog {
    return this.#log;
  }

  status(): CoreStatus {
    return this.core.status();
  }

  entryAt(index: LogIndex): LogEntry | undefined {
    return this.core.entryAt(index);
  }

  /** A quarantined member never votes again: whoever counted on what it acknowledged may go on to do so. */
  holds(index: LogIndex, term: Term): boolean {
    return this.#log.holds(index, term) || (this.wasQuarantined && this.owed.some((log) => log.holds(index, term)));
  }

  restart(core: CoreInspection): void {
    this.core = core;
    this.#log = new DurableLog(core);
    const { repair, quarantine } = core.status();
    this.wasUnderRepair = repair !== null;
    this.wasQuarantined = quarantine !== null;
  }
}

/** What members went through, so that a test can tell that it saw what it was made for. */
export interface RepairCounts {
  repairsBegun: number;
  repairsEnded: number;
  /** Starts of a member whose life before ended in the middle of a repair. */
  repairsInterrupted: number;
  quarantines: number;
  /** Terms that got a leader while somebody was under repair. */
  electionsDuringRepair: number;
}

/** From its making on every event of the simulation is followed by a look at all members: it fails if one of Raft's promises is broken. */
export class ClusterWatch {
  readonly invariants = new ClusterInvariants([], { foundation: FOUNDATION });
  readonly counts: RepairCounts = {
    repairsBegun: 0,
    repairsEnded: 0,
    repairsInterrupted: 0,
    quarantines: 0,
    electionsDuringRepair: 0,
  };
  readonly #cluster: SimulatedCluster;
  readonly #observed = new Map<SimulatedNode, ObservedNode>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    cluster.simulation.watch(() => this.#lookAtAll());
  }

  /** To be called when the files of a member that is down are about to be damaged: it owes what they held. */
  damaged(node: SimulatedNode): void {
    const member = this.#observed.get(node);
    if (member !== undefined) member.owed = [...member.owed, member.log];
  }

  #lookAtAll(): void {
    for (const node of this.#cluster.nodes) {
      const core = this.#cluster.memberOn(node)?.context.node.inspect();
      if (core !== undefined) this.#look(node, core);
    }
  }

  #look(node: SimulatedNode, core: CoreInspection): void {
    const termsBefore = this.invariants.termsLed;
    let member = this.#observed.get(node);
    if (member === undefined) {
      member = new ObservedNode(core, new MetaView(node.disk));
      this.#observed.set(node, member);
      this.invariants.add(member);
    } else if (member.core !== core) {
      this.#restarted(member, core);
    }
    this.invariants.check(member);
    this.#count(member);
    if (this.invariants.termsLed > termsBefore && this.#isAnyUnderRepair) this.counts.electionsDuringRepair++;
  }

  get #isAnyUnderRepair(): boolean {
    return [...this.#observed.values()].some((member) => member.wasUnderRepair);
  }

  #restarted(member: ObservedNode, core: CoreInspection): void {
    if (member.wasUnderRepair) this.counts.repairsInterrupted++;
    member.restart(core);
    if (member.wasUnderRepair) this.counts.repairsBegun++;
    if (member.wasQuarantined) this.counts.quarantines++;
    if (member.wasQuarantined || member.owed.length === 0) return this.invariants.restarted(member);
    for (const owed of member.owed) this.invariants.damaged(member, owed);
    if (!member.wasUnderRepair) member.owed = [];
  }

  #count(member: ObservedNode): void {
    if (!member.wasUnderRepair || member.status().repair !== null) return;
    this.counts.repairsEnded++;
    member.wasUnderRepair = false;
    member.owed = [];
  }
}
