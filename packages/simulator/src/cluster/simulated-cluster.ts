import { Member, type MemberOptions, memberConfig, readOptions } from "@raftkv/server";
import type { SimulatedNode } from "../simulated-node.ts";
import { Simulation } from "../simulation.ts";

export interface SimulatedClusterOptions {
  readonly seed: number;
  /** Members at the start. Default 3. */
  readonly size?: number;
  /** More flags for every member, `--snapshot-count=100`. */
  readonly flags?: readonly string[];
}

export const clientPort = 2379;
export const peerPort = 2380;

/** Whole members, one on each machine: `n1`, `n2`, ... with their data in `/data`. */
export class SimulatedCluster {
  readonly simulation: Simulation;
  readonly nodes: readonly SimulatedNode[];
  readonly #flags: readonly string[];
  readonly #limits: Pick<MemberOptions, "recoveredBytesMax">;
  readonly #members = new Map<SimulatedNode, Member>();

  constructor(options: SimulatedClusterOptions) {
    this.simulation = new Simulation({ seed: options.seed });
    const names = Array.from({ length: options.size ?? 3 }, (_, position) => `n${position + 1}`);
    this.nodes = names.map((name) => this.simulation.addNode(name));
    // A start holds all of such a small log in memory. With every other seed it does as if it were a large one.
    this.#limits = options.seed % 2 === 0 ? {} : { recoveredBytesMax: 0 };
    this.#flags = [`--initial-cluster=${names.map((name) => `${name}=http://${name}:${peerPort}`).join()}`, ...(options.flags ?? [])];
  }

  /** Starts every machine that does not run; a run fails if one of them can't start. To be called in a run. */
  async startAll(): Promise<void> {
    await Promise.all(this.nodes.filter((node) => !node.isRunning).map((node) => this.start(node)));
  }

  async start(node: SimulatedNode): Promise<void> {
    const ports = node.start();
    const member = await Member.start({
      ports,
      config: this.#configOf(node.name),
      ...this.#limits,
      onFatal: (error) => fail(node.name, error),
    });
    this.#members.set(node, member);
  }

  /** The member that serves on this machine, null while it is down or starting. */
  memberOn(node: SimulatedNode): Member | null {
    return node.isRunning ? (this.#members.get(node) ?? null) : null;
  }

  /** The member on this machine is told to stop, and the process ends when it has. To be called in a run. */
  async stop(node: SimulatedNode): Promise<void> {
    await this.memberOn(node)?.close();
    this.crash(node);
  }

  crash(node: SimulatedNode): void {
    this.#members.delete(node);
    node.crash();
  }

  losePower(node: SimulatedNode): void {
    this.#members.delete(node);
    node.losePower();
  }

  nodeNamed(name: string): SimulatedNode {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`There is no member ${name}`);
    return node;
  }

  #configOf(name: string): ReturnType<typeof memberConfig> {
    const flags = [
      `--name=${name}`,
      "--data-dir=/data",
      `--listen-client-urls=http://0.0.0.0:${clientPort}`,
      `--advertise-client-urls=http://${name}:${clientPort}`,
      `--listen-peer-urls=http://0.0.0.0:${peerPort}`,
      `--initial-advertise-peer-urls=http://${name}:${peerPort}`,
    ];
    return memberConfig(readOptions([...flags, ...this.#flags], {}));
  }
}

function fail(name: string, error: Error): never {
  throw new Error(`Member ${name} can't go on: ${error.message}`, { cause: error });
}
