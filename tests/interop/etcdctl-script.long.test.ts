import { describe, expect, test } from "vitest";
import { etcdProgram } from "../support/etcd-process.ts";
import { startEtcd, startRaftKV } from "../support/lone-server.ts";
import { findProgram } from "../support/program.ts";
import { script } from "./etcdctl-differential-script.ts";
import { runScript, type TranscriptEntry } from "./etcdctl-differential-transcript.ts";

const etcdctl = findProgram("etcdctl");
const isPossible = etcdctl !== null && etcdProgram !== null;
if (!isPossible) console.warn("etcd or etcdctl is not on the PATH (Debian packages etcd-server, etcd-client): their script is skipped");

async function transcript(start: typeof startEtcd): Promise<readonly TranscriptEntry[]> {
  const server = await start();
  try {
    return await runScript(script, {
      program: etcdctl ?? "",
      args: [`--endpoints=127.0.0.1:${server.port}`],
      upToDate: async () => undefined,
    });
  } finally {
    await server.dispose();
  }
}

describe.skipIf(!isPossible)("etcdctl, unchanged", () => {
  test("prints the same, and ends with the same status, whether etcd or RaftKV answers", async () => {
    const theirs = await transcript(startEtcd);
    const ours = await transcript(startRaftKV);
    expect(ours.length).toBeGreaterThan(80);
    expect(ours).toEqual(theirs);
  });
});
