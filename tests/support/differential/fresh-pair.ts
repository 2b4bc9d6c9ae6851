import { EtcdProcess } from "../etcd-process.ts";
import { ProcessCluster } from "../process-cluster.ts";
import { type Difference, type DifferentialRun, findDifference } from "./differential-run.ts";

export interface FreshPairRun extends Omit<DifferentialRun, "endpoints"> {
  /** Members of RaftKV; a follower is asked if there are several. */
  readonly size: number;
}

/** Asks a new etcd and a new RaftKV the same, so that a seed gives the same run each time. */
export async function compareFreshPair({ size, ...run }: FreshPairRun): Promise<Difference | null> {
  const etcd = await EtcdProcess.start();
  try {
    const raftkv = await ProcessCluster.start({ size, flags: ["--log-level=warn"] });
    try {
      const [follower] = await raftkv.followers();
      const member = follower ?? (await raftkv.leader());
      return await findDifference({ ...run, endpoints: [etcd.endpoint, `127.0.0.1:${member.clientPort}`] });
    } finally {
      await raftkv.dispose();
    }
  } finally {
    await etcd.dispose();
  }
}
