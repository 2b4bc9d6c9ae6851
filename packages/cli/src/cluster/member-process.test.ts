import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemberProcess } from "./member-process.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "raftkv-member-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A member that runs `script` instead of a server. */
function start(script: string): MemberProcess {
  return new MemberProcess({
    name: "n1",
    program: process.execPath,
    args: ["-e", script],
    environment: process.env,
    logFile: join(directory, "n1.log"),
  });
}

async function untilLogged(member: MemberProcess, text: string): Promise<void> {
  while (!readFileSync(member.logFile, "utf8").includes(text)) await sleep(10);
}

test("a member that ends by itself tells how, and its words are in the log", async () => {
  const member = start("console.log('out'); console.error('err'); process.exitCode = 3");
  expect(await member.ended).toBe("exit status 3");
  expect(member.running).toBe(false);
  expect(readFileSync(member.logFile, "utf8").split("\n").sort()).toEqual(["", "err", "out"]);
  expect(await member.stop(1)).toBe(true);
});

test("the log of an earlier start stays", async () => {
  await start("console.log('first')").ended;
  await start("console.log('second')").ended;
  expect(readFileSync(join(directory, "n1.log"), "utf8")).toBe("first\nsecond\n");
});

test("a member stops by SIGTERM in its own way", async () => {
  const member = start(
    "process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); setInterval(() => {}, 1e6); console.log('up')",
  );
  await untilLogged(member, "up");
  expect(await member.stop(10_000)).toBe(true);
  expect(await member.ended).toBe("exit status 0");
  expect(readFileSync(member.logFile, "utf8")).toBe("up\nbye\n");
});

test("a member that does not stop is killed after the grace", async () => {
  const member = start("process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1e6); console.log('up')");
  await untilLogged(member, "up");
  expect(await member.stop(200)).toBe(false);
  expect(await member.ended).toBe("signal SIGKILL");
});

test("a program that does not exist ends at once, with the reason", async () => {
  const member = new MemberProcess({
    name: "n1",
    program: join(directory, "none"),
    args: [],
    environment: {},
    logFile: join(directory, "n1.log"),
  });
  expect(await member.ended).toContain("it could not be started: spawn");
  expect(member.running).toBe(false);
});
