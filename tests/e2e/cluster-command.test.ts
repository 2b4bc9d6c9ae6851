import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-port.ts";
import { RaftKVProcess, runRaftKV } from "../support/member-process.ts";

let directory: string;
let ports: readonly string[];
let running: RaftKVProcess | null = null;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "raftkv-"));
  // Members use every second port from the first on.
  const [clientPort = 0] = await freePorts(6);
  ports = [`--client-port=${clientPort}`, `--peer-port=${clientPort + 1}`];
});
afterEach(async () => {
  await running?.end("SIGTERM");
  running = null;
  await rm(directory, { recursive: true, force: true });
});

async function startCluster(): Promise<string> {
  running = new RaftKVProcess(["cluster", "--data-dir", directory, ...ports]);
  await running.waitForOutput("Ctrl-C stops the cluster");
  return running.output;
}

/** Runs one of the commands that the cluster offers. */
function offered(output: string, command: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const line = output.split("\n").find((candidate) => candidate.includes(` ${command} `)) ?? "";
  return runRaftKV(
    line
      .slice(line.indexOf(` ${command} `))
      .trim()
      .split(" "),
  );
}

describe("raftkv cluster", () => {
  test("shows its members and commands that work, stops on Ctrl-C, and finds its data again", async () => {
    const output = await startCluster();
    expect(output).toMatch(/name.*client URL.*peer URL.*role/);
    expect(output.match(/http:\/\/127\.0\.0\.1:\d+ .*(leader|follower)/g)).toHaveLength(3);
    expect(output.match(/http:\/\/127\.0\.0\.1:\d+ .*leader/g)).toHaveLength(1);

    expect(await offered(output, "put")).toMatchObject({ code: 0, output: "OK\n" });
    expect(await offered(output, "get")).toMatchObject({ code: 0, output: "hello\nworld\n" });
    expect(await running?.end("SIGINT")).toMatchObject({ code: 0 });

    expect(await offered(await startCluster(), "get")).toMatchObject({ code: 0, output: "hello\nworld\n" });
  });

  test("names a port that is in use and the flag that changes it", async () => {
    const [port = 0] = await freePorts(1);
    const holder = createServer().listen(port, "127.0.0.1");
    const { code, output } = await runRaftKV(["cluster", "--data-dir", directory, `--client-port=${port}`, `--peer-port=${port + 1}`]);
    await new Promise((resolve) => holder.close(resolve));
    expect(output).toMatch(new RegExp(`^raftkv: .*${port}.*--client-port`));
    expect(code).toBe(1);
  });
});

test("the commands answer with the exit codes that their help names", async () => {
  const output = await startCluster();
  const endpoints = Array.from(
    output.matchAll(/http:\/\/(127\.0\.0\.1:\d+)\s+│ http[^\n]*(?:leader|follower)/g),
    ([, endpoint = ""]) => endpoint,
  );
  const runAt = (endpoint: string, ...args: readonly string[]) => runRaftKV(["kv", ...args, "--endpoints", endpoint]);
  const run = (...args: readonly string[]) => runAt(endpoints[0] ?? "", ...args);
  expect(await run("put", "key", "value")).toMatchObject({ code: 0, output: "created\n" });
  expect((await run("put", "key", "other")).code).toBe(3);
  expect(await run("get", "key")).toMatchObject({ code: 0, output: "value\n" });
  expect((await run("update", "key", "other")).code).toBe(0);
  expect(await run("get", "key")).toMatchObject({ code: 0, output: "other\n" });
  await eventually(async () => {
    const answers = await Promise.all(endpoints.map((endpoint) => runAt(endpoint, "get", "key", "--no-redirect")));
    const [leads, ...follow] = answers.toSorted((one, other) => (one.code ?? 0) - (other.code ?? 0));
    expect(leads).toMatchObject({ code: 0, output: "other\n" });
    const redirect = { code: 4, output: expect.stringMatching(/leader is n\d at http/) };
    expect(follow).toMatchObject([redirect, redirect]);
  });
  expect((await run("remove", "key")).code).toBe(0);
  expect((await run("get", "key")).code).toBe(3);
  expect((await runRaftKV(["status", "--endpoints", endpoints.join()])).output).toMatch(/endpoint.*role.*term/);
  expect((await runRaftKV(["kv", "get", "key", "--endpoints", "127.0.0.1:1", "--timeout", "300"])).code).toBe(2);
});
