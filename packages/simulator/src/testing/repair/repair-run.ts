import { applyFault, drawFault } from "../../cluster/cluster-fault.ts";
import { SimulatedCluster } from "../../cluster/simulated-cluster.ts";
import type { SimulatedNode } from "../../simulated-node.ts";
import { SeededRandom } from "../../timeline/seeded-random.ts";
import { ClusterWatch, type RepairCounts } from "../cluster-watch.ts";
import { ClientLoad } from "./client-load.ts";
import type { DamagedPart } from "./damage-target.ts";
import { DamagedMembers } from "./damaged-members.ts";
import { HealedMembers, type RunEnd } from "./healed-members.ts";
import type { Lie } from "./lying-start.ts";
import { awaitScene, drawScene } from "./scene.ts";

/**
 * What disks lose. `repair`: log, snapshots and one copy of a meta file, never at so many members at once that the others are no majority.
 * `quarantine`: besides, whole meta files, within the same bounds. `ruin`: anything anywhere; only safety is left where too many are hit.
 */
export type RepairTheme = "repair" | "quarantine" | "ruin";
export const repairThemes: readonly RepairTheme[] = ["repair", "quarantine", "ruin"];

export interface RepairRunOptions {
  readonly seed: number;
  readonly theme: RepairTheme;
  /** What members say of damage that is not true. Default `none`. */
  readonly lie?: Lie;
}

export interface RepairReport extends RepairCounts {
  readonly events: number;
  readonly crashes: number;
  readonly acknowledged: number;
  readonly reads: number;
  readonly termsLed: number;
  /** How often each part was damaged in each way: `segment zeros`. */
  readonly damages: ReadonlyMap<string, number>;
  readonly end: RunEnd;
  /** Of everything that happened. */
  readonly hash: string;
}

const flags = ["--snapshot-count=60", "--heartbeat-interval=40", "--election-timeout=200"];
const stepsTotal = 20;
/** By then a cluster that was healed has a leader, as a rule. */
const electedMs = 800;
const delayMeanMsDefault = 0.2;
/** Slow enough for a repair to take longer than an election. */
const slowBytesPerSecond = 2_000_000;
const lastHappenings = 16;

const parts: Readonly<Record<RepairTheme, readonly DamagedPart[]>> = {
  repair: ["segment", "segment", "segment", "segment", "snapshot", "snapshot", "metaCopy"],
  quarantine: ["segment", "segment", "segment", "snapshot", "metaCopy", "meta"],
  ruin: ["segment", "segment", "segment", "segment", "snapshot", "snapshot", "metaCopy", "meta"],
};
const steps = [
  "weather",
  "weather",
  "heal",
  "damage",
  "ambush",
  "ambush",
  "ambush",
  "temptation",
  "temptation",
  "theft",
  "handOver",
  "slowness",
] as const;

/**
 * Whole members under load in which chance lets machines crash, networks part and disks lose what was acknowledged, and which then heal.
 * Throws what went wrong, what was done before it, and how to see it again.
 */
export async function playRepairRun(options: RepairRunOptions): Promise<RepairReport> {
  const run = new RepairRun(options);
  try {
    return await run.play();
  } catch (reason) {
    const sentence = reason instanceof Error ? reason.message : String(reason);
    const replay = `npm run soak -w packages/simulator -- --theme ${options.theme} --from ${options.seed} --seeds 1`;
    throw new Error(`${sentence}\n${run.happenings.slice(-lastHappenings).join("\n")}\nagain: ${replay}`, { cause: reason });
  }
}

class RepairRun {
  /** What was done to the members, for people. */
  readonly happenings: string[] = [];
  readonly #random: SeededRandom;
  readonly #theme: RepairTheme;
  readonly #cluster: SimulatedCluster;
  readonly #watch: ClusterWatch;
  readonly #load: ClientLoad;
  readonly #members: DamagedMembers;
  #crashes = 0;

  constructor({ seed, theme, lie = "none" }: RepairRunOptions) {
    const random = new SeededRandom(`${theme}/${seed}`);
    const cluster = new SimulatedCluster({ seed, size: random.pick([3, 3, 5]), flags });
    this.#random = random;
    this.#theme = theme;
    this.#cluster = cluster;
    this.#watch = new ClusterWatch(cluster);
    this.#load = new ClientLoad(cluster);
    this.#members = new DamagedMembers({
      cluster,
      watch: this.#watch,
      random: random.child("damage"),
      lie,
      mayHitMajority: theme === "ruin",
    });
  }

  async play(): Promise<RepairReport> {
    const { simulation } = this.#cluster;
    await simulation.drive(() => this.#cluster.startAll());
    this.#load.start();
    await simulation.runFor(1_000);
    for (let step = 0; step < stepsTotal; step++) {
      await this.#step();
      await simulation.runFor(this.#random.pick([5, 50, 200, 600]));
    }
    this.#heal();
    const healed = new HealedMembers({ cluster: this.#cluster, members: this.#members, load: this.#load });
    const end = await healed.demandLife();
    return {
      ...this.#watch.counts,
      events: simulation.eventsTotal,
      crashes: this.#crashes,
      acknowledged: this.#load.acknowledged.length,
      reads: this.#load.readsTotal,
      termsLed: this.#watch.invariants.termsLed,
      damages: this.#members.counts,
      end,
      hash: simulation.trace.hash,
    };
  }

  async #step(): Promise<void> {
    const node = this.#random.pick(this.#cluster.nodes);
    switch (this.#random.pick(steps)) {
      case "weather":
        return this.#changeWeather();
      case "damage":
        return this.#strike(node);
      case "ambush":
        return this.#ambush();
      case "theft":
        return this.#theme === "repair" ? this.#ambush() : this.#stealVote();
      case "temptation":
        return this.#tempt();
      case "heal":
        return this.#cluster.simulation.internet.healAll();
      case "handOver":
        return this.#handOver(node);
      case "slowness":
        return this.#slowDown(node);
    }
  }

  #changeWeather(): void {
    const fault = drawFault(
      this.#random,
      this.#cluster.nodes.map(({ name }) => name),
    );
    this.#note(JSON.stringify(fault));
    if (fault.kind === "startAll") this.#cluster.simulation.schedule(0, () => void this.#members.startAll());
    else applyFault(this.#cluster, fault);
    if (fault.kind === "crash" || fault.kind === "losePower") this.#crashes++;
  }

  /** The member stops where it is, is damaged, and as a rule starts again at once or soon. */
  #strike(node: SimulatedNode, part: DamagedPart = this.#random.pick(parts[this.#theme])): void {
    const kind = this.#random.pick(["crash", "losePower"] as const);
    this.#crashes++;
    this.#cluster[kind](node);
    const damage = this.#members.damage(node, part);
    const shown = damage === null ? "" : `, ${damage.shape} in ${damage.path} at ${damage.offset}`;
    this.#note(`${kind} of ${node.name}${shown}`);
    if (this.#random.oneIn(6)) return;
    this.#startSoon(node, this.#random.pick([0, 1, 20, 150]));
  }

  /** Waits for a moment at which a fault hurts most. */
  async #ambush(): Promise<void> {
    const scene = drawScene(this.#random);
    if (scene === "vote" || this.#random.oneIn(2)) this.#provokeElection();
    const actors = await awaitScene(this.#cluster, scene, this.#random.between(100, 800));
    if (actors === null) return;
    const { victim, rival } = actors;
    this.#note(`${scene} of ${victim.name}`);
    this.#strike(victim);
    if (rival === null || this.#random.oneIn(3)) return;
    if (scene !== "vote" && this.#random.oneIn(3)) this.#strike(rival);
    else this.#part([rival]);
  }

  /** Who has just voted loses its meta file, and is left with a former leader that never heard of the term: would it vote once more? */
  async #stealVote(): Promise<void> {
    const { simulation } = this.#cluster;
    simulation.internet.healAll();
    for (const node of this.#cluster.nodes) this.#startSoon(node);
    await simulation.runFor(electedMs);
    const leader = this.#leader;
    if (leader === undefined) return;
    this.#note(`crash of ${leader.name}, which leads`);
    this.#cluster.crash(leader);
    const actors = await awaitScene(this.#cluster, "vote", this.#random.between(300, 1_000));
    if (actors !== null) {
      this.#note(`vote of ${actors.victim.name}`);
      this.#strike(actors.victim, "meta");
      if (actors.rival !== null) this.#part([actors.rival]);
    }
    this.#startSoon(leader);
  }

  /** Some lag behind, one of the others loses what it acknowledged, and then they are alone with it: together they are a majority. */
  async #tempt(): Promise<void> {
    const { simulation, nodes } = this.#cluster;
    const leader = this.#leader;
    const followers = nodes.filter((node) => node !== leader);
    const place = this.#random.below(followers.length);
    const laggards = Array.from({ length: Math.floor(nodes.length / 2) }, (_, step) => followers[(place + step) % followers.length]);
    const behind = laggards.filter((node) => node !== undefined);
    const victim = followers.find((node) => !behind.includes(node));
    if (victim === undefined) return;
    this.#part(behind);
    if (leader !== undefined && this.#random.oneIn(2))
      simulation.internet.setLink(leader.name, victim.name, { bytesPerSecond: slowBytesPerSecond });
    await simulation.runFor(this.#random.between(20, 400));
    this.#strike(victim);
    await simulation.runFor(this.#random.pick([0, 5, 30, 150]));
    this.#part([...behind, victim]);
    await simulation.runFor(this.#random.between(200, 1_000));
  }

  #provokeElection(): void {
    const leader = this.#leader;
    if (leader !== undefined) this.#part([leader]);
  }

  /** These and the others hear nothing of each other, and everybody else does. */
  #part(nodes: readonly SimulatedNode[]): void {
    const { internet } = this.#cluster.simulation;
    this.#note(`${nodes.map(({ name }) => name).join(" and ")} and the others are parted`);
    internet.healAll();
    for (const one of nodes) {
      for (const other of this.#cluster.nodes.filter((node) => !nodes.includes(node))) {
        internet.cut(one.name, other.name);
        internet.cut(other.name, one.name);
      }
    }
  }

  get #leader(): SimulatedNode | undefined {
    return this.#cluster.nodes.find((node) => this.#cluster.memberOn(node)?.context.node.isLeader === true);
  }

  #handOver(node: SimulatedNode): void {
    const member = this.#cluster.memberOn(node)?.context.node;
    this.#note(`leadership is handed to ${node.name}`);
    if (member !== undefined) this.#cluster.simulation.schedule(0, () => void member.transferLeadership(member.status().id));
  }

  #slowDown(node: SimulatedNode): void {
    this.#note(`${node.name} is slow`);
    if (node.isRunning) node.disk.stall(this.#random.between(10, 400));
    const other = this.#random.pick(this.#cluster.nodes);
    const delayMeanMs = this.#random.pick([delayMeanMsDefault, 5, 40]);
    const bytesPerSecond = this.#random.pick([0, slowBytesPerSecond]);
    if (other !== node) this.#cluster.simulation.internet.setLink(node.name, other.name, { delayMeanMs, bytesPerSecond });
  }

  #heal(): void {
    const { internet } = this.#cluster.simulation;
    internet.setLinks({ delayMeanMs: delayMeanMsDefault, bytesPerSecond: 0 });
    internet.healAll();
    this.#note("everything is healed");
  }

  #startSoon(node: SimulatedNode, delayMs = 0): void {
    this.#cluster.simulation.schedule(delayMs, () => {
      if (!node.isRunning) void this.#members.start(node);
    });
  }

  #note(what: string): void {
    this.happenings.push(`${this.#cluster.simulation.nowMs} ms: ${what}`);
  }
}
