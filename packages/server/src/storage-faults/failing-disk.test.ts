import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AcknowledgedLog } from "./acknowledged-log.ts";
import { buildDiskFaults, failedCall, faultEnvironment, noDiskFaults } from "./disk-fault.ts";
import { checkData } from "./kill-loop.ts";
import { StorageProcess } from "./storage-process.ts";
import { buildStorageProgram } from "./storage-program-file.ts";
import { exitStorageFailed, type StorageLine } from "./storage-work.ts";

/** From the first call of the first start on: the meta file, the first segment, votes, entries, the next segment, snapshots. */
const firstCalls = 32;
/** Of compactions, too, and of segments that were made ahead. */
const laterCalls = [36, 41, 47, 53, 66, 81] as const;
const works = 120;

let folder = "";
let program = "";
let library = "";

if (noDiskFaults !== null) console.warn(noDiskFaults);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "raftkv-failing-"));
  program = buildStorageProgram(folder);
  if (noDiskFaults === null) library = buildDiskFaults(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program whose `failingCall` fails, then opens what it left on a sound disk. Returns what failed. */
async function strike(failingCall: number, effect: "lost" | "kept"): Promise<string> {
  const directory = join(folder, `${effect}-${failingCall}`);
  const environment = { ...process.env, ...faultEnvironment(library, { directory, failingCall, effect }) };
  const end = await new StorageProcess(program, { directory, seed: failingCall, works }, environment).ended;
  const call = failedCall(directory);
  const subject = `call ${failingCall}, ${call ?? "not reached"}, ${effect}`;
  expect(call, `${subject}: the program must come so far`).not.toBeNull();
  expect(end.status, subject).toBe(exitStorageFailed);
  expect(end.errors, subject).toContain("EIO");
  expect(acknowledgedAfterFailure(end.lines), subject).toEqual([]);
  const log = new AcknowledgedLog();
  for (const line of end.lines) log.note(line);
  expect(await checkData(directory, log), subject).toBeNull();
  return (call ?? "").replace(directory, "").replace(/[0-9a-f]{8,16}/g, "#");
}

/** `3 fsync /wal, 1 fdatasync /meta`. */
function countsOf(calls: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const call of calls) counts.set(call, (counts.get(call) ?? 0) + 1);
  return [...counts].map(([call, count]) => `${count} ${call}`).join(", ");
}

/** Numbers of the calls that make something durable and succeeded after one that did not. */
function acknowledgedAfterFailure(lines: readonly StorageLine[]): readonly number[] {
  const first = lines.findIndex(({ kind }) => kind === "failed");
  const compactions = new Set(lines.flatMap((line) => (line.kind === "begun" && line.work.kind === "compact" ? [line.number] : [])));
  const after = first < 0 ? [] : lines.slice(first);
  return after.flatMap((line) => (line.kind === "done" && !compactions.has(line.number) ? [line.number] : []));
}

describe.skipIf(noDiskFaults !== null)("a write or sync that fails once and then never again", () => {
  test.each(["lost", "kept"] as const)(
    "ends the process without another acknowledgement, bytes %s, whichever call it is",
    async (effect) => {
      const calls: string[] = [];
      const numbers = [...Array.from({ length: firstCalls }, (_, at) => at + 1), ...laterCalls];
      const next = async (): Promise<void> => {
        for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) calls.push(await strike(number, effect));
      };
      await Promise.all([next(), next()]);
      console.info(`bytes ${effect}, failed calls: ${countsOf(calls)}`);
      expect(calls).toHaveLength(firstCalls + laterCalls.length);
    },
  );
});
