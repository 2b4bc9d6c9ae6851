import type { SimulatedCluster } from "../../cluster/simulated-cluster.ts";
import type { SimulatedNode } from "../../simulated-node.ts";
import type { ClientLoad } from "./client-load.ts";
import type { DamagedMembers } from "./damaged-members.ts";

/** `alive`: everything was there again. `leaderless`: too many members were hit for a leader to be elected. */
export type RunEnd = "alive" | "leaderless";

export interface HealedMembersOptions {
  readonly cluster: SimulatedCluster;
  readonly members: DamagedMembers;
  readonly load: ClientLoad;
}

const startMs = 20_000;
const healMs = 30_000;
const leaderlessMs = 5_000;
const workMs = 500;

/**
 * No more faults, and every member runs: within bounded time those that lost entries are sound, all hold what was acknowledged, and
 * those that were repaired vote. Members without their meta file stay out for good. Where too many were hit, no life is asked for.
 */
export class HealedMembers {
  readonly #cluster: SimulatedCluster;
  readonly #members: DamagedMembers;
  readonly #load: ClientLoad;

  constructor({ cluster, members, load }: HealedMembersOptions) {
    this.#cluster = cluster;
    this.#members = members;
    this.#load = load;
  }

  /** Throws what is not as it should be. */
  async demandLife(): Promise<RunEnd> {
    const { simulation } = this.#cluster;
    await this.#startAll();
    if (2 * this.#sound.length <= this.#cluster.nodes.length && this.#leader === undefined) {
      await simulation.runFor(leaderlessMs);
      if (this.#leader === undefined) return this.#endLeaderless();
    }
    await this.#demandCalm();
    await simulation.runFor(workMs);
    await simulation.drive(() => this.#load.stop(), { withinMs: healMs });
    await this.#demandCalm();
    for (const node of this.#sound) await simulation.drive(() => this.#load.checkAll(this.#place(node)), { withinMs: healMs });
    await this.#demandVotes();
    return "alive";
  }

  get #sound(): readonly SimulatedNode[] {
    return this.#cluster.nodes.filter((node) => this.#cluster.memberOn(node)?.context.node.memberState === "sound");
  }

  get #leader(): SimulatedNode | undefined {
    return this.#cluster.nodes.find((node) => this.#cluster.memberOn(node)?.context.node.isLeader === true);
  }

  async #startAll(): Promise<void> {
    const { simulation, nodes } = this.#cluster;
    simulation.schedule(0, () => void this.#members.startAll());
    await simulation.runUntil(() => nodes.every((node) => this.#cluster.memberOn(node) !== null), { withinMs: startMs });
  }

  async #endLeaderless(): Promise<RunEnd> {
    this.#demandQuarantines();
    await this.#cluster.simulation.drive(() => this.#load.stop(), { withinMs: healMs });
    return "leaderless";
  }

  /** One leads, all others that can take part follow it, are sound, and have applied everything. */
  async #demandCalm(): Promise<void> {
    const { simulation } = this.#cluster;
    try {
      await simulation.runUntil(() => this.#isCalm(), { withinMs: healMs });
    } catch (reason) {
      throw new Error(`${reason instanceof Error ? reason.message : String(reason)}: ${this.#describe()}`, { cause: reason });
    }
    this.#demandQuarantines();
  }

  #isCalm(): boolean {
    const members = this.#cluster.nodes
      .filter((node) => !this.#members.doomed.has(node))
      .map((node) => this.#cluster.memberOn(node)?.context.node);
    const leader = members.find((member) => member?.isLeader === true)?.status();
    if (leader === undefined) return false;
    return members.every((member) => {
      if (member === undefined || member.memberState !== "sound" || member.leader !== leader.id) return false;
      return member.status().applied >= leader.commit;
    });
  }

  /** Exactly those are quarantined whose term and vote are gone. */
  #demandQuarantines(): void {
    for (const node of this.#cluster.nodes) {
      const member = this.#cluster.memberOn(node)?.context.node;
      const isQuarantined = member?.memberState === "quarantined";
      if (isQuarantined !== this.#members.doomed.has(node)) {
        throw new Error(`Member ${node.name} is ${member?.memberState}: ${JSON.stringify(member?.quarantine)}`);
      }
    }
  }

  /** The vote and the acknowledgement of each member that was hit are needed once, and come. */
  async #demandVotes(): Promise<void> {
    for (const node of this.#members.hit) {
      if (this.#members.doomed.has(node)) continue;
      await this.#demandVote(node);
      await this.#startAll();
      await this.#demandCalm();
    }
  }

  async #demandVote(node: SimulatedNode): Promise<void> {
    const { simulation, nodes } = this.#cluster;
    const quorum = Math.floor(nodes.length / 2) + 1;
    // The leader first, so that there is an election.
    const leader = this.#leader;
    const others = this.#sound.filter((other) => other !== node).sort((one, other) => Number(other === leader) - Number(one === leader));
    for (const other of others.slice(0, others.length + 1 - quorum)) this.#cluster.crash(other);
    await simulation.drive(() => this.#load.putAt(this.#place(node)), { withinMs: healMs });
  }

  #place(node: SimulatedNode): number {
    return this.#cluster.nodes.indexOf(node);
  }

  #describe(): string {
    const lines = this.#cluster.nodes.map((node) => {
      const member = this.#cluster.memberOn(node)?.context.node;
      if (member === undefined) return `${node.name} is down`;
      const { role, term, leader, applied, commit, lastIndex } = member.status();
      const repair = member.repair === null ? "" : ` ${JSON.stringify(member.repair)}`;
      return `${node.name} ${member.memberState}${repair} ${role} of term ${term} after ${leader}, ${applied}/${commit}/${lastIndex}`;
    });
    return lines.join("; ");
  }
}
