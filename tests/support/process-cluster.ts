import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EtcdEndpoint } from "./etcd-endpoint.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-port.ts";
import { RaftKVProcess } from "./member-process.ts";

export interface ClusterOptions {
  readonly size: number;
  /** Added to the flags of every member. */
  readonly flags?: readonly string[];
  readonly token?: string;
}

export interface MemberOptions {
  readonly name: string;
  readonly dataDir: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly initialCluster: string;
  readonly token: string;
  readonly flags: readonly string[];
}

/** A member that can be killed and started again on the same ports and data. */
export class ClusterMember {
  readonly name: string;
  readonly dataDir: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly endpoint: EtcdEndpoint;
  private readonly options: MemberOptions;
  private current: RaftKVProcess | null = null;

  constructor(options: MemberOptions) {
    this.options = options;
    this.name = options.name;
    this.dataDir = options.dataDir;
    this.clientPort = options.clientPort;
    this.peerPort = options.peerPort;
    this.endpoint = new EtcdEndpoint(options.clientPort);
  }

  /** The same place with other flags; a flag that is there already is replaced. */
  withFlags(...flags: readonly string[]): ClusterMember {
    return new ClusterMember({ ...this.options, flags: [...this.options.flags, ...flags] });
  }

  get process(): RaftKVProcess {
    if (this.current === null) throw new Error(`${this.name} was not started`);
    return this.current;
  }

  get running(): boolean {
    return this.current?.running === true;
  }

  /** `environment` is added to that of this process. */
  start(environment: NodeJS.ProcessEnv = {}): void {
    if (this.running) throw new Error(`${this.name} runs already`);
    this.current = new RaftKVProcess(["server", ...this.args()], { environment });
  }

  private args(): readonly string[] {
    const { name, dataDir, clientPort, peerPort, initialCluster, token, flags } = this.options;
    const clientUrl = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const all = [
      `--name=${name}`,
      `--data-dir=${dataDir}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${initialCluster}`,
      `--initial-cluster-token=${token}`,
      ...flags,
    ];
    // The last word on each flag.
    return [...new Map(all.map((flag) => [flag.slice(0, flag.indexOf("=")), flag])).values()];
  }

  /** Ends the process as a power cut of this member would, without a chance to do anything. */
  async kill(): Promise<void> {
    await this.process.end("SIGKILL");
  }
}

/** Real server processes on 127.0.0.1 with data in a temporary directory. */
export class ProcessCluster {
  readonly members: readonly ClusterMember[];
  private readonly directory: string;

  private constructor(members: readonly ClusterMember[], directory: string) {
    this.members = members;
    this.directory = directory;
  }

  static async create(options: ClusterOptions): Promise<ProcessCluster> {
    const { size, flags = [], token = "test" } = options;
    const directory = await mkdtemp(join(tmpdir(), "raftkv-"));
    const ports = await freePorts(2 * size);
    const places = Array.from({ length: size }, (_, at) => ({
      name: `n${at + 1}`,
      clientPort: ports[2 * at] ?? 0,
      peerPort: ports[2 * at + 1] ?? 0,
    }));
    const initialCluster = places.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`).join();
    const members = places.map(
      (place) => new ClusterMember({ ...place, dataDir: join(directory, place.name), initialCluster, token, flags }),
    );
    return new ProcessCluster(members, directory);
  }

  /** Creates, starts and waits for a leader. */
  static async start(options: ClusterOptions): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.create(options);
    try {
      for (const member of cluster.members) member.start();
      await cluster.leader();
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
    return cluster;
  }

  get running(): readonly ClusterMember[] {
    return this.members.filter((member) => member.running);
  }

  get endpoints(): string {
    return this.members.map((member) => `127.0.0.1:${member.clientPort}`).join();
  }

  member(name: string): ClusterMember {
    const member = this.members.find((candidate) => candidate.name === name);
    if (member === undefined) throw new Error(`There is no member ${name}`);
    return member;
  }

  /** The member that a majority of the running ones takes for the leader; waits for it. */
  leader(): Promise<ClusterMember> {
    return eventually(async () => {
      const votes = new Map<bigint, number>();
      const byId = new Map<bigint, ClusterMember>();
      const asked = this.running.map(async (member) => [member, await member.endpoint.status(5_000).catch(() => null)] as const);
      for (const [member, status] of await Promise.all(asked)) {
        if (status === null) continue;
        byId.set(status.memberId, member);
        if (status.leader !== 0n) votes.set(status.leader, (votes.get(status.leader) ?? 0) + 1);
      }
      for (const [id, count] of votes) {
        const leader = byId.get(id);
        if (leader !== undefined && 2 * count > this.members.length) return leader;
      }
      throw new Error(`No leader among ${this.running.map((member) => member.name).join()}:\n${this.outputs()}`);
    });
  }

  async followers(): Promise<readonly ClusterMember[]> {
    const leader = await this.leader();
    return this.running.filter((member) => member !== leader);
  }

  outputs(): string {
    return this.members
      .map((member) => `--- ${member.name}\n${member.running ? member.process.output.slice(-4000) : "(not running)"}`)
      .join("\n");
  }

  /** Kills what runs and removes the data. */
  async dispose(): Promise<void> {
    await Promise.all(this.members.map((member) => member.endpoint.close()));
    await Promise.all(this.running.map((member) => member.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }
}
