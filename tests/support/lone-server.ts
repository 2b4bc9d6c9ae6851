import { EtcdProcess, etcdProgram } from "./etcd-process.ts";
import { ProcessCluster } from "./process-cluster.ts";

/** A server on 127.0.0.1 that is a cluster of its own. */
export interface LoneServer {
  readonly port: number;
  /** Kills it and starts it again on the same data. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}

export interface LoneServerKind {
  readonly name: string;
  readonly start: () => Promise<LoneServer>;
}

export async function startRaftKV(): Promise<LoneServer> {
  const cluster = await ProcessCluster.start({ size: 1, flags: ["--log-level=warn"] });
  const member = cluster.member("n1");
  return {
    port: member.clientPort,
    restart: async () => {
      await member.kill();
      member.start();
      await cluster.leader();
    },
    dispose: () => cluster.dispose(),
  };
}

export async function startEtcd(): Promise<LoneServer> {
  const etcd = await EtcdProcess.start();
  return {
    port: etcd.clientPort,
    restart: async () => {
      await etcd.kill();
      await etcd.run();
    },
    dispose: () => etcd.dispose(),
  };
}

/** What a client meets: RaftKV, and etcd where it is installed, which shows that the test expects nothing that etcd does not do. */
export const loneServers: readonly LoneServerKind[] = [
  { name: "RaftKV", start: startRaftKV },
  ...(etcdProgram === null ? [] : [{ name: "etcd", start: startEtcd }]),
];
