import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { programSource } from "../testing/program-source.ts";
import { lockName, takeDirectoryLock } from "./node-directory-lock.ts";

let directory = "";
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/raftkv-lock-`);
});
afterEach(async () => {
  for (const child of children.splice(0)) await ended(child, "SIGKILL");
  await rm(directory, { recursive: true });
});

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once("exit", () => resolve());
    child.kill(signal);
  });
}

const holderSource = programSource(
  new URL("./node-directory-lock.ts", import.meta.url),
  "await module.takeDirectoryLock(process.argv[1]); process.stdout.write('held'); setInterval(() => {}, 1_000);",
);

/** A process of its own that holds the directory, so that it can be stopped and killed. */
async function otherHolder(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", holderSource, directory], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`The holder ended with ${code}`)));
  });
  return child;
}

test("a directory that another process holds is refused with that process's number", async () => {
  const holder = await otherHolder();
  // A holder that has other work may answer too late to be named.
  await expect
    .poll(() => takeDirectoryLock(directory).catch((error: unknown) => error))
    .toMatchObject({
      code: "locked",
      path: directory,
      message: expect.stringMatching(`^Directory ${directory} is in use by process ${holder.pid}, since 2.+Z$`),
    });
});

test("a holder that is stopped still holds", async () => {
  const holder = await otherHolder();
  holder.kill("SIGSTOP");
  await expect(takeDirectoryLock(directory)).rejects.toMatchObject({
    code: "locked",
    message: `Directory ${directory} is in use by another process`,
  });
  holder.kill("SIGCONT");
});

test("what a killed holder left over is taken over", async () => {
  const holder = await otherHolder();
  await ended(holder, "SIGKILL");
  expect(await readdir(directory)).toEqual([lockName]);
  const lock = await takeDirectoryLock(directory);
  await expect(takeDirectoryLock(directory)).rejects.toMatchObject({ code: "locked" });
  await lock.release();
  expect(await readdir(directory)).toEqual([]);
});

test("a holder that is seen only by its socket in the directory holds too", async () => {
  const server = createServer((socket) => socket.end("process 7, since then"));
  await new Promise<void>((resolve) => server.listen({ path: `${directory}/${lockName}` }, resolve));
  await expect(takeDirectoryLock(directory)).rejects.toMatchObject({
    code: "locked",
    message: `Directory ${directory} is in use by process 7, since then`,
  });
  await new Promise((resolve) => server.close(resolve));
  await (await takeDirectoryLock(directory)).release();
});

test("releasing twice is harmless, and a refused lock holds nothing", async () => {
  const lock = await takeDirectoryLock(directory);
  for (let i = 0; i < 3; i++) await expect(takeDirectoryLock(directory)).rejects.toMatchObject({ code: "locked" });
  await Promise.all([lock.release(), lock.release()]);
  await lock.release();
  await (await takeDirectoryLock(directory)).release();
});

test("of many that want it at once one gets it", async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeDirectoryLock(directory)));
  const taken = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(taken.length).toBe(1);
  for (const lock of taken) await lock.release();
});
