import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DataReport, Member, memberConfig, nodePorts, readOptions } from "@raftkv/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryTerminal } from "./memory-terminal.ts";
import { runProgram } from "./program.ts";

let folder = "";
let directory = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "raftkv-check-"));
  directory = join(folder, "data");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function checkData(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const terminal = new MemoryTerminal();
  const status = await runProgram(["check-data", ...args], terminal);
  return { status, out: terminal.out, err: terminal.err };
}

/** Two ports on which nobody listens, below the range from which the system takes those of outgoing connections. */
async function freePorts(): Promise<readonly number[]> {
  const free: number[] = [];
  for (let port = 30_000 + (process.pid % 1_000); free.length < 2; port++) if (await isFree(port)) free.push(port);
  return free;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** A member that is alone in its cluster, with its data in `directory`. */
async function startMember(): Promise<Member> {
  const [peerUrl, clientUrl] = (await freePorts()).map((port) => `http://127.0.0.1:${port}`);
  const args = [
    "--name=n1",
    `--data-dir=${directory}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=n1=${peerUrl}`,
  ];
  const config = memberConfig(readOptions(args, {}));
  return Member.start({ config, ports: nodePorts({ logLevel: "fatal" }), onFatal: (error) => expect.unreachable(error.message) });
}

/** The segments of a member that ran once. */
async function stoppedMember(): Promise<readonly string[]> {
  await (await startMember()).close();
  return readdirSync(join(directory, "wal")).map((name) => join(directory, "wal", name));
}

/** Turns bits of the first byte that is not zero from `offset` on. */
function damage(path: string, offset: number): void {
  const bytes = readFileSync(path);
  const at = bytes.findIndex((byte, place) => place >= offset && byte !== 0);
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  writeFileSync(path, bytes);
}

describe("raftkv check-data", () => {
  test("finds the directory of a stopped member sound, and leaves it as it is", async () => {
    await stoppedMember();
    const before = readdirSync(directory, { recursive: true });
    const { status, out, err } = await checkData(directory);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toMatch(/meta +│ +53 kB │ sound +│ term \d+, vote (for nobody|[0-9a-f]{16})/);
    expect(out).toMatch(/^member [0-9a-f]{16} of cluster [0-9a-f]{16}, store [0-9a-f]{16}$/m);
    expect(out).toMatch(/\nverdict: sound\. Nothing that was acknowledged is missing: .*\nA start goes on with all of it\n$/);
    expect(readdirSync(directory, { recursive: true })).toEqual(before);
  });

  test("names the damaged file, the offset and what may be lost, and ends with status 1", async () => {
    const segments = await stoppedMember();
    for (const segment of segments) damage(segment, 8_192 + 100);
    const { status, out, err } = await checkData(directory);
    expect({ status, err }).toEqual({ status: 1, err: "" });
    expect(out).toMatch(/^wal\/[0-9a-f]{16}\.wal: damaged, at offset \d+: /m);
    expect(out).toMatch(/\nverdict: repair\. .*entries from log index \d+ on may be lost\nStart the member again: .*\n$/);
  });

  test("tells a lost meta file from lost entries", async () => {
    await stoppedMember();
    damage(join(directory, "meta"), 0);
    const half = await checkData(directory);
    expect(half.out).toMatch(/^meta: damaged, 1 of its 4 copies/m);
    expect(half.status).toBe(0);
    damage(join(directory, "meta"), 16_384);
    const { status, out } = await checkData(directory);
    expect(status).toBe(1);
    expect(out).toMatch(/\nverdict: quarantine \(ERR_META_DAMAGED\)\. .*\nA start takes part in nothing: /);
  });

  test("prints one JSON object that says the same", async () => {
    await stoppedMember();
    const { status, out } = await checkData(directory, "--json");
    expect(status).toBe(0);
    const report = JSON.parse(out) as DataReport;
    expect(report).toMatchObject({ directory, outcome: "sound", errorCode: null, lost: null, meta: { term: expect.any(Number) } });
    expect(report.files.map(({ path }) => path)).toContain("meta");
    expect(out.endsWith("}\n")).toBe(true);
  });

  test("reports what keeps a start from reading anything, also as JSON, and ends with status 1", async () => {
    const [segment = ""] = await stoppedMember();
    chmodSync(segment, 0o644);
    const readable = await checkData(directory, "--json");
    expect(readable.status).toBe(1);
    const report = JSON.parse(readable.out) as DataReport;
    expect(report).toMatchObject({ outcome: "refused", errorCode: "ERR_STORAGE_FAILED", summary: expect.stringContaining(segment) });
    expect(report.files.find(({ path }) => segment.endsWith(path))?.verdict).toBe("damaged");

    rmSync(join(directory, "wal"), { recursive: true });
    writeFileSync(join(directory, "wal"), "");
    const { status, out, err } = await checkData(directory);
    expect({ status, err }).toEqual({ status: 1, err: "" });
    expect(out).toMatch(/^wal: damaged, .*not a directory/m);
    expect(out).toMatch(/\nverdict: refused \(ERR_STORAGE_FAILED\)\. .*\/wal: .*not a directory\nA start ends with this error\n$/);
  });

  test("refuses a directory that a member runs on", async () => {
    const member = await startMember();
    try {
      const { status, out } = await checkData(directory);
      expect({ status, out }).toEqual({ status: 64, out: "" });
      // A holder that has other work may answer too late to be named.
      await expect
        .poll(async () => (await checkData(directory)).err)
        .toMatch(new RegExp(`^raftkv: Data directory ${directory} is in use by another process: .* is in use by process ${process.pid}`));
    } finally {
      await member.close();
    }
  });

  test("refuses a directory that is not there, and one that is none of ours", async () => {
    const missing = await checkData(directory);
    expect(missing).toMatchObject({ status: 64, out: "" });
    expect(missing.err).toMatch(new RegExp(`^raftkv: .*${directory}.*no such file or directory`));
    writeFileSync(join(folder, "notes.txt"), "nothing of a member");
    expect(await checkData(folder)).toEqual({
      status: 64,
      out: "",
      err: `raftkv: ${folder} is no data directory: nothing of a member is in it\n`,
    });
  });
});
