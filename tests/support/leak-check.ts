import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { killLeftChildren } from "./child-processes.ts";

/** What a test file has to give back: who opens closes. Timers are left out, because vitest has its own. */
const watched: ReadonlySet<string> = new Set([
  "FSEventWrap",
  "PipeServerWrap",
  "ProcessWrap",
  "TCPServerWrap",
  "TCPSocketWrap",
  "TLSWrap",
  "UDPWrap",
]);
/** A socket that was closed goes away a few turns later, or when the other end has heard of it. */
const graceMs = 10_000;
const lookMs = 5;

function openResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) if (watched.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** `2 TCPSocketWrap` for each kind of which there is more than `before`. */
function leaks(before: ReadonlyMap<string, number>): string[] {
  return [...openResources()].flatMap(([name, count]) => {
    const added = count - (before.get(name) ?? 0);
    return added > 0 ? [`${added} ${name}`] : [];
  });
}

let before: ReadonlyMap<string, number> = new Map();

beforeAll(() => {
  before = openResources();
});

afterAll(async () => {
  for (let waitedMs = 0; waitedMs < graceMs && leaks(before).length > 0; waitedMs += lookMs) await sleep(lookMs);
  const left = leaks(before);
  await killLeftChildren();
  if (left.length > 0) throw new Error(`The tests of this file left ${left.join(" and ")} open`);
});
