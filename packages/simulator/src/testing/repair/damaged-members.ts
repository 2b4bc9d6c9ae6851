import type { SimulatedCluster } from "../../cluster/simulated-cluster.ts";
import type { SimulatedNode } from "../../simulated-node.ts";
import type { SeededRandom } from "../../timeline/seeded-random.ts";
import type { ClusterWatch } from "../cluster-watch.ts";
import { metaPath } from "../meta-view.ts";
import type { DamagedPart } from "./damage-target.ts";
import { type Damage, damageDisk } from "./disk-damage.ts";
import { type Lie, startWithForgottenVote, startWithoutRepair } from "./lying-start.ts";

export interface DamagedMembersOptions {
  readonly cluster: SimulatedCluster;
  readonly watch: ClusterWatch;
  readonly random: SeededRandom;
  readonly lie: Lie;
  /** Whether damage may hit so many that the others are no majority. */
  readonly mayHitMajority: boolean;
}

/** Damages members that are down and starts them again, at most one fault of the log or the snapshots for each start. */
export class DamagedMembers {
  /** How often each part was damaged in each way. */
  readonly counts = new Map<string, number>();
  /** Their meta file is gone: they never take part again. */
  readonly doomed = new Set<SimulatedNode>();
  /** Their log or their snapshots were damaged. */
  readonly hit = new Set<SimulatedNode>();
  readonly #options: DamagedMembersOptions;
  /** Hit, and not known to be sound since. */
  readonly #unsound = new Set<SimulatedNode>();
  /** Hit since they began to serve last. */
  readonly #hitSinceStart = new Set<SimulatedNode>();
  readonly #metaAtStart = new Map<SimulatedNode, Uint8Array>();
  readonly #lostMeta = new Map<SimulatedNode, Uint8Array>();

  constructor(options: DamagedMembersOptions) {
    this.#options = options;
  }

  /** Null if it would be too much, or the disk has nothing of that kind. */
  damage(node: SimulatedNode, part: DamagedPart): Damage | null {
    if (!this.#mayDamage(node, part)) return null;
    const { disk } = node;
    const meta = disk.contentOf(metaPath);
    if (this.#options.lie !== "nothing lost") this.#options.watch.damaged(node);
    const damage = damageDisk(disk, part, this.#options.random, this.#metaAtStart.get(node));
    if (damage === null) return null;
    const name = `${part} ${damage.shape}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (part === "metaCopy") return damage;
    this.#unsound.add(node);
    this.#hitSinceStart.add(node);
    if (part !== "meta") {
      this.hit.add(node);
      return damage;
    }
    this.#lostMeta.set(node, meta);
    if (this.#options.lie !== "never voted") this.doomed.add(node);
    return damage;
  }

  /** To be called in a run, so that the failure of a start is the failure of the run. */
  async start(node: SimulatedNode): Promise<void> {
    const { cluster, lie } = this.#options;
    const lostMeta = this.#lostMeta.get(node) ?? null;
    if (lostMeta === null && !this.doomed.has(node)) this.#metaAtStart.set(node, node.disk.contentOf(metaPath));
    if (lie === "nothing lost") await startWithoutRepair(cluster, node);
    else if (lie === "never voted" && lostMeta !== null) await startWithForgottenVote(cluster, node, lostMeta);
    else await cluster.start(node);
    this.#lostMeta.delete(node);
    this.#hitSinceStart.delete(node);
  }

  /** Starts whoever is down. */
  async startAll(): Promise<void> {
    const { nodes } = this.#options.cluster;
    await Promise.all(nodes.filter((node) => !node.isRunning).map((node) => this.start(node)));
  }

  #mayDamage(node: SimulatedNode, part: DamagedPart): boolean {
    if (this.doomed.has(node)) return false;
    if (part === "metaCopy") return true;
    if (this.#hitSinceStart.has(node)) return false;
    const { cluster, mayHitMajority } = this.#options;
    for (const other of this.#unsound) {
      if (cluster.memberOn(other)?.context.node.memberState === "sound" && !this.doomed.has(other)) this.#unsound.delete(other);
    }
    const hitTotal = new Set([...this.#unsound, node]).size;
    return mayHitMajority || 2 * hitTotal < cluster.nodes.length;
  }
}
