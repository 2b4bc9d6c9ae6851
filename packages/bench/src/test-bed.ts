import type { Channel } from "@raftkv/raft-rpc";
import type { Cluster } from "./cluster/cluster.ts";
import { ClusterFolder, type ClusterFolderOptions } from "./cluster/cluster-folder.ts";
import { openChannel, readStatus } from "./cluster/member-channel.ts";
import type { System } from "./cluster/system.ts";
import { EachKeyOnce } from "./load/key-source.ts";
import { KeySpace } from "./load/key-space.ts";
import { generateLoad, type LoadResult } from "./load/load-generator.ts";
import { buildWorkload, type Workload, type WorkloadName } from "./load/workload.ts";
import { WriteLedger } from "./load/write-ledger.ts";
import { readRevision, type Verification, verify } from "./verification.ts";

/** A running cluster, and what was written to it. */
export interface Subject {
  readonly cluster: Cluster;
  readonly ledger: WriteLedger;
  /** Before the first put. */
  readonly firstRevision: number;
  /** How it took every key once. */
  readonly filling: LoadResult;
}

export interface BedOptions extends ClusterFolderOptions {
  readonly keyCount: number;
  readonly valueBytes: number;
  /** Of keys and values. */
  readonly seed: number;
}

const loadConnections = 10;
const loadInFlight = 50;

/** The clusters under test with their data, and the keys of the load. Who opens it closes it. */
export class TestBed<Options extends BedOptions = BedOptions> {
  readonly options: Options;
  readonly keys: KeySpace;
  readonly subjects: Subject[] = [];
  readonly #workloads = new Map<WorkloadName, Workload>();
  readonly #folder: ClusterFolder;

  private constructor(options: Options, folder: ClusterFolder) {
    this.options = options;
    this.#folder = folder;
    const { keyCount, valueBytes, seed } = options;
    this.keys = new KeySpace({ count: keyCount, valueBytes, seed });
  }

  /** Makes the folder for all data. Rejects if it cannot. */
  static async open<Options extends BedOptions>(options: Options): Promise<TestBed<Options>> {
    return new TestBed(options, await ClusterFolder.open(options));
  }

  get directory(): string {
    return this.#folder.path;
  }

  /** Starts a cluster and writes every key once. Rejects with a sentence if it does not take all of them. */
  async addSystem(system: System, signal: AbortSignal): Promise<Subject> {
    const cluster = await this.#folder.start(system, signal);
    const firstRevision = await readRevision(cluster.leader.channel);
    const ledger = new WriteLedger(this.keys.count);
    const filling = await withChannels(cluster, loadConnections, (channels) =>
      generateLoad({
        channels,
        inFlight: loadInFlight,
        workload: this.workload("put"),
        keys: new EachKeyOnce(this.keys.count),
        durationMs: Number.POSITIVE_INFINITY,
        ledger,
        signal,
      }),
    );
    const errors = [...filling.errors].map(([sentence, count]) => `\n  ${count} times ${sentence}`);
    if (errors.length > 0) throw new Error(`${system.name} did not take all keys:${errors.join("")}`);
    const subject = { cluster, ledger, firstRevision, filling };
    this.subjects.push(subject);
    return subject;
  }

  workload(name: WorkloadName): Workload {
    const known = this.#workloads.get(name);
    if (known !== undefined) return known;
    const workload = buildWorkload(name, this.keys);
    this.#workloads.set(name, workload);
    return workload;
  }

  /** Reads back what was written to a cluster, from each of its members. Rejects if one does not answer. */
  verify({ cluster, ledger, firstRevision }: Subject): Promise<Verification> {
    const members = cluster.members.map(({ process, channel }) => ({ name: process.plan.name, channel }));
    return verify({ members, keys: this.keys, ledger, firstRevision });
  }

  /** Ends every process and removes the folder. Resolves to the members that had to be killed. May be called again. */
  close(): Promise<readonly string[]> {
    return this.#folder.close();
  }

  /** Ends every process; the data stay. */
  stopMembers(): Promise<readonly string[]> {
    return this.#folder.stopMembers();
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
