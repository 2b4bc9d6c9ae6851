import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemberProcess } from "../cluster/member-process.ts";
import type { System } from "../cluster/system.ts";
import { faultNames, strike } from "./fault.ts";

/** A server that says when it runs, and ends by itself when it is told to. */
const program = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => undefined, 1000); console.log('runs')";
const system: System = { name: "raftkv", version: "", program: process.execPath, memberArguments: () => ["-e", program] };

let directory = "";
let member: MemberProcess | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "raftkv-fault-"));
});

afterEach(async () => {
  member?.kill();
  await member?.ended;
  rmSync(directory, { recursive: true });
});

async function startMember(): Promise<MemberProcess> {
  const logFile = join(directory, "m1.log");
  member = new MemberProcess(system, { name: "m1", clientPort: 0, peerPort: 0, dataDirectory: directory, logFile }, []);
  await starts(member, 1);
  return member;
}

/** Waits until the server has said so often that it runs. */
async function starts({ plan }: MemberProcess, count: number): Promise<void> {
  while (readFileSync(plan.logFile, "utf8").split("runs").length <= count) await new Promise((resolve) => setTimeout(resolve, 5));
}

test.each(faultNames)("%s can be healed: the member runs again", async (fault) => {
  const struck = await startMember();
  const heal = strike(fault, struck);
  expect(await heal()).toBeNull();
  await starts(struck, fault === "pause" ? 1 : 2);
  expect(struck.end).toBeNull();
});

test("a member that was killed or stopped has ended by that signal", async () => {
  const struck = await startMember();
  strike("kill", struck);
  await struck.ended;
  expect(struck.end).toBe("signal SIGKILL");
  struck.restart();
  await starts(struck, 2);
  strike("stop", struck);
  await struck.ended;
  expect(struck.end).toBe("exit status 0");
});

test("a frozen member ends by itself when it is stopped", async () => {
  const struck = await startMember();
  strike("pause", struck);
  expect(await struck.stop(10_000)).toBe(true);
});

test("a member that runs is not started a second time", async () => {
  const struck = await startMember();
  expect(() => struck.restart()).toThrow("raftkv m1 has not ended");
});
