import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-port.ts";
import { RaftKVProcess, runRaftKV } from "../support/member-process.ts";

let directory: string;
const running: RaftKVProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "raftkv-"));
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.end("SIGKILL")));
  await rm(directory, { recursive: true, force: true });
});

interface Member {
  readonly endpoint: string;
  /** Those that `raftkv server` and `raftkv snapshot restore` both take. */
  readonly identity: readonly string[];
  readonly urls: readonly string[];
}

async function planMember(name: string): Promise<Member> {
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  const client = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return {
    endpoint: `127.0.0.1:${clientPort}`,
    identity: [
      `--name=${name}`,
      `--data-dir=${join(directory, name)}`,
      `--initial-cluster=${name}=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
    ],
    urls: [`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`, `--listen-peer-urls=${peer}`, "--log-level=warn"],
  };
}

async function start({ identity, urls, endpoint }: Member): Promise<void> {
  running.push(new RaftKVProcess(["server", ...identity, ...urls]));
  await eventually(async () => expect((await run(endpoint, "endpoint", "health")).code).toBe(0));
}

function run(endpoint: string, ...args: readonly string[]) {
  return runRaftKV([...args, `--endpoints=${endpoint}`, "--command-timeout=60s"]);
}

test("a snapshot is saved, described, and a new cluster begins with it", async () => {
  const old = await planMember("old");
  await start(old);
  for (const value of ["1", "2", "3"]) await run(old.endpoint, "put", "a", value);
  await run(old.endpoint, "put", "b", "4");
  const file = join(directory, "today.db");
  expect(await run(old.endpoint, "snapshot", "save", file)).toMatchObject({ code: 0, output: `Snapshot saved at ${file}\n` });

  const { output } = await runRaftKV(["snapshot", "status", file, "-w", "json"]);
  const bytes = await readFile(file);
  expect(JSON.parse(output)).toEqual({
    hash: bytes.readUInt32BE(bytes.length - 32),
    revision: 5,
    totalKey: 2,
    totalSize: bytes.length,
  });

  const restored = await planMember("restored");
  const { code, output: told } = await runRaftKV(["snapshot", "restore", file, ...restored.identity]);
  expect({ code, told }).toEqual({ code: 0, told: expect.stringContaining("2 keys at revision 5; added member restored") });
  await start(restored);
  expect((await run(restored.endpoint, "get", "", "--prefix")).output).toBe("a\n3\nb\n4\n");
  expect((await run(restored.endpoint, "get", "a", "--rev=3")).output).toBe("a\n2\n");
  expect((await run(restored.endpoint, "put", "a", "5", "--prev-kv")).output).toBe("OK\na\n3\n");

  expect(await runRaftKV(["snapshot", "restore", file, ...restored.identity])).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^Error: data directory .* holds a member already, give another --data-dir/),
  });
});

test("a file that is damaged, cut off or no snapshot is refused with the reason", async () => {
  const member = await planMember("only");
  await start(member);
  const file = join(directory, "s.db");
  await run(member.endpoint, "snapshot", "save", file);
  const bytes = await readFile(file);

  bytes.writeUInt8(bytes.readUInt8(600) ^ 1, 600);
  await writeFile(file, bytes);
  expect(await runRaftKV(["snapshot", "status", file])).toMatchObject({ code: 1, output: expect.stringMatching(/^Error: .*sha256/) });
  await truncate(file, bytes.length - 1);
  expect((await runRaftKV(["snapshot", "status", file])).output).toMatch(
    /^Error: The snapshot of \d+ bytes is cut off, or has something behind its end/,
  );
  await writeFile(file, "something else ".repeat(100));
  expect((await runRaftKV(["snapshot", "status", file])).output).toMatch(/^Error: This is no snapshot of RaftKV/);
  const target = (await planMember("never")).identity;
  expect(await runRaftKV(["snapshot", "restore", file, ...target])).toMatchObject({ code: 1 });
  for (const identity of [target, member.identity]) {
    const { code, output } = await runRaftKV(["snapshot", "restore", join(directory, "nowhere"), ...identity]);
    expect({ code, output }).toEqual({
      code: 1,
      output: expect.stringMatching(/^Error: (ENOENT: .*nowhere|data directory .* holds a member)/),
    });
  }
});

test("check perf measures, cleans up and gives its verdict", async () => {
  const member = await planMember("only");
  await start(member);
  const { code, output } = await runRaftKV(["check", "perf", "--duration=2s", "--auto-compact", `--endpoints=${member.endpoint}`]);
  expect(output).toMatch(/^Compacted with revision \d+\n(PASS|FAIL): Throughput/);
  expect(output.endsWith(code === 0 ? "\nPASS\n" : "\nFAIL\n")).toBe(true);
  expect((await run(member.endpoint, "get", "", "--prefix", "--keys-only")).output).toBe("");
});
