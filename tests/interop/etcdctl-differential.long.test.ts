import { describe, expect, test } from "vitest";
import { EtcdProcess, etcdProgram } from "../support/etcd-process.ts";
import { eventually } from "../support/eventually.ts";
import { raftkvProgram } from "../support/member-process.ts";
import { ProcessCluster } from "../support/process-cluster.ts";
import { findProgram } from "../support/program.ts";
import { script } from "./etcdctl-differential-script.ts";
import { runScript, type Speaker, type TranscriptEntry } from "./etcdctl-differential-transcript.ts";

const etcdctl = findProgram("etcdctl");
if (etcdctl === null) console.warn("etcdctl is not on the PATH (Debian package etcd-client): its comparison with raftkv is skipped");
else if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): only RaftKV answers etcdctl and raftkv");

/** A server from its beginning on, asked by one of the two programs. */
interface Server {
  readonly endpoints: string;
  readonly upToDate: Speaker["upToDate"];
  dispose(): Promise<void>;
}

async function startEtcd(): Promise<Server> {
  const etcd = await EtcdProcess.start();
  return { endpoints: etcd.endpoint, upToDate: async () => undefined, dispose: () => etcd.dispose() };
}

async function startRaftKV(): Promise<Server> {
  const cluster = await ProcessCluster.start({
    size: 3,
    flags: ["--log-level=warn"],
  });
  const upToDate = () => Promise.all(cluster.members.map(({ endpoint }) => eventually(() => endpoint.get("up to date"))));
  return { endpoints: cluster.endpoints, upToDate, dispose: () => cluster.dispose() };
}

async function transcript(start: () => Promise<Server>, speaker: Omit<Speaker, "upToDate">): Promise<readonly TranscriptEntry[]> {
  const server = await start();
  try {
    const { endpoints, upToDate } = server;
    return await runScript(script, { ...speaker, upToDate, args: [...speaker.args, `--endpoints=${endpoints}`] });
  } finally {
    await server.dispose();
  }
}

const byEtcdctl = { program: etcdctl ?? "", args: [] };
const byRaftKV = { program: process.execPath, args: [raftkvProgram] };

describe.skipIf(etcdctl === null)("etcdctl and raftkv print the same and end with the same status", () => {
  test("the script has what a comparison is worth", () => {
    expect(script.length).toBeGreaterThan(80);
  });

  test.skipIf(etcdProgram === null)("when etcd answers", async () => {
    const [raftkv, expected] = await Promise.all([transcript(startEtcd, byRaftKV), transcript(startEtcd, byEtcdctl)]);
    expect(raftkv).toEqual(expected);
  });

  test("when RaftKV answers", async () => {
    const [raftkv, expected] = await Promise.all([transcript(startRaftKV, byRaftKV), transcript(startRaftKV, byEtcdctl)]);
    expect(raftkv).toEqual(expected);
  });
});
