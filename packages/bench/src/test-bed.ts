import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { Channel } from "@raftkv/raft-rpc";
import type { BenchOptions } from "./bench-options.ts";
import { Cluster } from "./cluster/cluster.ts";
import { openChannel, readStatus } from "./cluster/member-channel.ts";
import type { System } from "./cluster/system.ts";
import { EachKeyOnce } from "./load/key-source.ts";
import { KeySpace } from "./load/key-space.ts";
import { generateLoad, type LoadResult } from "./load/load-generator.ts";
import { buildWorkload, type Workload, type WorkloadName } from "./load/workload.ts";
import { WriteLedger } from "./load/write-ledger.ts";
import { readRevision } from "./verification.ts";

/** A running cluster, and what was written to it. */
export interface Subject {
  readonly cluster: Cluster;
  readonly ledger: WriteLedger;
  /** Before the first put. */
  readonly firstRevision: number;
}

const loadConnections = 10;
const loadInFlight = 50;

/** The clusters under test with their data, and the keys of the load. Who opens it closes it. */
export class TestBed {
  readonly options: BenchOptions;
  readonly directory: string;
  readonly keys: KeySpace;
  readonly subjects: Subject[] = [];
  readonly #workloads = new Map<WorkloadName, Workload>();
  readonly #clusters: Cluster[] = [];
  readonly #cleanAtExit = (): void => {
    for (const cluster of this.#clusters) cluster.kill();
    if (!this.options.keep) rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  };

  private constructor(options: BenchOptions, directory: string) {
    this.options = options;
    this.directory = directory;
    const { keyCount, valueBytes, seed } = options;
    this.keys = new KeySpace({ count: keyCount, valueBytes, seed });
    // Whatever ends this program, no server and no data stay behind.
    process.on("exit", this.#cleanAtExit);
  }

  /** Makes the folder for all data. Rejects if it cannot. */
  static async open(options: BenchOptions): Promise<TestBed> {
    return new TestBed(options, await mkdtemp(resolve(options.directory, "raftkv-bench-")));
  }

  /** Starts a cluster and writes every key once. */
  async addSystem(system: System, signal: AbortSignal): Promise<LoadResult> {
    const cluster = await Cluster.spawn(system, this.directory);
    this.#clusters.push(cluster);
    await cluster.waitForLeader(signal);
    const firstRevision = await readRevision(cluster.leader.channel);
    const subject = { cluster, ledger: new WriteLedger(this.keys.count), firstRevision };
    this.subjects.push(subject);
    const keys = new EachKeyOnce(this.keys.count);
    return withChannels(cluster, loadConnections, (channels) =>
      generateLoad({
        channels,
        inFlight: loadInFlight,
        workload: this.workload("put"),
        keys,
        durationMs: Number.POSITIVE_INFINITY,
        ledger: subject.ledger,
        signal,
      }),
    );
  }

  workload(name: WorkloadName): Workload {
    const known = this.#workloads.get(name);
    if (known !== undefined) return known;
    const workload = buildWorkload(name, this.keys);
    this.#workloads.set(name, workload);
    return workload;
  }

  /** Ends every process and removes the folder. Resolves to the members that had to be killed. May be called again. */
  async close(): Promise<readonly string[]> {
    const killed = await this.stopMembers();
    process.off("exit", this.#cleanAtExit);
    if (!this.options.keep) await rm(this.directory, { recursive: true, force: true });
    return killed;
  }

  /** Ends every process; the data stay. */
  async stopMembers(): Promise<readonly string[]> {
    const killed = await Promise.all(
      this.#clusters.map(async (cluster) => (await cluster.stop()).map((member) => `${cluster.system.name} ${member}`)),
    );
    return killed.flat();
  }
}

const connectTimeoutMs = 5000;

/** Calls `use` with `count` connections of their own to the leader of the cluster, which are there already: no request has to wait for its own. */
export async function withChannels<T>(cluster: Cluster, count: number, use: (channels: readonly Channel[]) => Promise<T>): Promise<T> {
  const channels = Array.from({ length: count }, () => openChannel(cluster.leader.process.plan.clientPort));
  try {
    const states = await Promise.all(channels.map((channel) => readStatus(channel, connectTimeoutMs)));
    const silent = states.filter((state) => state === null).length;
    if (silent > 0) throw new Error(`${silent} of ${count} connections to the leader of ${cluster.system.name} were not answered`);
    return await use(channels);
  } finally {
    await Promise.all(channels.map((channel) => channel.close()));
  }
}
