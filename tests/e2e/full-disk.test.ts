import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RpcError } from "@raftkv/raft-rpc";
import { afterAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

const flags = ["--log-level=warn"];

/** Mounts a small file system of its own, or returns null where this user may not. */
function mountTmpfs(options: string): string | null {
  const directory = mkdtempSync(join(tmpdir(), "raftkv-small-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", directory], { stdio: "ignore" });
    return directory;
  } catch {
    rmSync(directory, { recursive: true });
    return null;
  }
}

function unmount(directory: string): void {
  execFileSync("umount", [directory]);
  rmSync(directory, { recursive: true });
}

const smallDisk = process.platform === "linux" ? mountTmpfs("size=24m") : null;
if (smallDisk === null) console.warn("This user may not mount a small file system: the test of a full disk is skipped");
afterAll(() => {
  if (smallDisk !== null) unmount(smallDisk);
});

describe.skipIf(smallDisk === null)("a member whose disk is full", () => {
  test("stops with a sentence, keeps what it acknowledged, and the others go on", async () => {
    const cluster = await ProcessCluster.create({ size: 3, flags });
    const [first, second, third] = cluster.members;
    if (first === undefined || second === undefined || third === undefined) throw new Error("There are three members");
    const crowded = first.withFlags(`--data-dir=${smallDisk}/n1`);
    try {
      for (const member of [crowded, second, third]) member.start();
      await eventually(() => second.endpoint.put("first", "write", 1_000));
      const value = "x".repeat(200_000);
      let acknowledged = 0;
      while (crowded.running) {
        await second.endpoint.put(`key-${acknowledged % 5}`, value).then(
          () => acknowledged++,
          (error: unknown) => {
            if (!(error instanceof RpcError)) throw error;
          },
        );
        expect(acknowledged, "the disk of 24 MB must be full by now").toBeLessThan(1_000);
      }
      const { code, output } = await crowded.process.exit();
      expect(output).toMatch(/No space left/);
      expect(code).toBe(3);
      // It may have been the leader.
      await eventually(() => second.endpoint.put("afterwards", "going on"));
      await eventually(async () => expect(await third.endpoint.get("afterwards")).toBe("going on"));
    } finally {
      if (crowded.running) await crowded.kill();
      await crowded.endpoint.close();
      await cluster.dispose();
    }
  });
});

test("a member whose directory is read-only says so", async () => {
  const cluster = await ProcessCluster.create({ size: 1, flags });
  const [member] = cluster.members;
  if (member === undefined) throw new Error("There is one member");
  // Permissions don't bind root, a mount does.
  const mounted = mountTmpfs("ro");
  if (mounted === null) await mkdir(member.dataDir, { mode: 0o500 });
  const started = mounted === null ? member : member.withFlags(`--data-dir=${mounted}`);
  started.start();
  const { code, output } = await started.process.exit();
  expect(output).toMatch(/^raftkv: .*(permission|read-only)/i);
  expect(code).toBe(1);
  if (mounted === null) await chmod(member.dataDir, 0o700);
  else unmount(mounted);
  await cluster.dispose();
});
