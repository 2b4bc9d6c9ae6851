import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Cluster } from "./cluster.ts";
import type { System } from "./system.ts";

export interface ClusterFolderOptions {
  /** The folder is made in it. */
  readonly directory: string;
  /** Leave it there at the end. */
  readonly keep: boolean;
}

/** A folder of its own, and the clusters whose data are in it. Who opens it closes it. */
export class ClusterFolder {
  readonly path: string;
  readonly #keep: boolean;
  readonly #clusters: Cluster[] = [];
  readonly #cleanAtExit = (): void => {
    for (const cluster of this.#clusters) cluster.kill();
    if (!this.#keep) rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  };

  private constructor(path: string, keep: boolean) {
    this.path = path;
    this.#keep = keep;
    // Whatever ends this program, no server and no data stay behind.
    process.on("exit", this.#cleanAtExit);
  }

  /** Makes the folder. Rejects if it cannot. */
  static async open({ directory, keep }: ClusterFolderOptions): Promise<ClusterFolder> {
    return new ClusterFolder(await mkdtemp(resolve(directory, "raftkv-bench-")), keep);
  }

  /** Starts a cluster and waits for its leader. Rejects with a sentence, or the reason of the signal. */
  async start(system: System, signal: AbortSignal): Promise<Cluster> {
    const cluster = await Cluster.spawn(system, this.path);
    this.#clusters.push(cluster);
    await cluster.waitForLeader(signal);
    return cluster;
  }

  /** Ends every process and removes the folder. Resolves to the members that had to be killed. May be called again. */
  async close(): Promise<readonly string[]> {
    const killed = await this.stopMembers();
    process.off("exit", this.#cleanAtExit);
    if (!this.#keep) await rm(this.path, { recursive: true, force: true });
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
