import type { RaftKvResponse } from "@raftkv/api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type RequestIdentity, RequestSessions, sessionIdleMsMax, writesOfSessionMax } from "./request-session.ts";
import { ScriptedCluster } from "./testing/scripted-cluster.ts";

const done: RaftKvResponse = { status: "success", value: new Uint8Array(0), leader: null, message: "", revision: 1 };

/** Writes that end when the test says so. */
class Writes {
  readonly cluster = new ScriptedCluster();
  readonly sessions = new RequestSessions(this.cluster);
  readonly begun: RequestIdentity[] = [];
  readonly #ends = new Map<RequestIdentity, { resolve: (response: RaftKvResponse) => void; reject: (error: Error) => void }>();

  begin(): Promise<RaftKvResponse> {
    return this.sessions.write((identity) => {
      this.begun.push(identity);
      return new Promise((resolve, reject) => this.#ends.set(identity, { resolve, reject }));
    });
  }

  /** Ends the write that began as number `place`. */
  async end(place: number, outcome: "answered" | "redirected" | "failed" = "answered"): Promise<void> {
    const identity = this.begun[place];
    const end = identity === undefined ? undefined : this.#ends.get(identity);
    if (outcome === "failed") end?.reject(new Error("no answer"));
    else end?.resolve(outcome === "answered" ? done : { ...done, status: "redirect" });
    await this.cluster.clock.settle(Promise.resolve());
  }
}

test("until the cluster has answered, every write says that it awaits the first", async () => {
  const writes = new Writes();
  const running = [writes.begin(), writes.begin()];
  writes.sessions.identifyRead();
  running.push(writes.begin());
  expect(writes.begun.map(({ sequence, lowestAwaited }) => [sequence, lowestAwaited])).toEqual([
    [1, 1],
    [2, 1],
    [4, 1],
  ]);
  await writes.end(1);
  running.push(writes.begin());
  expect(writes.begun[3]).toMatchObject({ sequence: 5, lowestAwaited: 1 });
  await writes.end(0);
  running.push(writes.begin());
  expect(writes.begun[4]).toMatchObject({ sequence: 6, lowestAwaited: 4 });
  for (const place of [2, 3, 4]) await writes.end(place);
  await Promise.all(running);
});

test("a session that was idle, or of which a write failed, is left for another", async () => {
  const writes = new Writes();
  const first = writes.begin();
  await writes.end(0);
  await first;
  await writes.cluster.clock.pass(sessionIdleMsMax + 1);
  const second = writes.begin();
  const third = writes.begin();
  expect(writes.begun[1]?.clientId).not.toBe(writes.begun[0]?.clientId);
  expect(writes.begun.slice(1).map(({ sequence, lowestAwaited }) => [sequence, lowestAwaited])).toEqual([
    [1, 1],
    [2, 1],
  ]);
  await Promise.all([expect(second).rejects.toThrow("no answer"), writes.end(1, "failed")]);
  const fourth = writes.begin();
  expect(writes.begun[3]).toMatchObject({ sequence: 1, lowestAwaited: 1 });
  expect(writes.begun[3]?.clientId).not.toBe(writes.begun[2]?.clientId);
  await writes.end(2);
  await writes.end(3);
  await Promise.all([third, fourth]);
});

test("a redirect says nothing of what the cluster knows", async () => {
  const writes = new Writes();
  const first = writes.begin();
  await writes.end(0, "redirected");
  await first;
  const second = writes.begin();
  expect(writes.begun[1]).toMatchObject({ sequence: 2, lowestAwaited: 1 });
  await writes.end(1);
  await second;
});

test("writes beyond those whose results the cluster keeps wait for the oldest", async () => {
  const writes = new Writes();
  const running = Array.from({ length: writesOfSessionMax + 2 }, () => writes.begin());
  await writes.end(1);
  expect(writes.begun).toHaveLength(writesOfSessionMax);
  await writes.end(0);
  expect(writes.begun).toHaveLength(writesOfSessionMax + 2);
  for (let place = 2; place < writes.begun.length; place++) await writes.end(place);
  await Promise.all(running);
});

test("in any order of ends no result is given up that is still awaited, and no more are awaited than the cluster keeps", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 40 }), { maxLength: 120 }), async (steps) => {
      const writes = new Writes();
      const running = new Set<number>();
      const results: Promise<unknown>[] = [];
      for (const step of steps) {
        const chosen = [...running][step];
        if (chosen === undefined) {
          results.push(writes.begin());
          running.add(writes.begun.length - 1);
          checkNewest([...running].map((at) => writes.begun[at]));
        } else {
          running.delete(chosen);
          await writes.end(chosen);
        }
      }
      for (const place of running) await writes.end(place);
      await Promise.all(results);
    }),
    { numRuns: 100 },
  );
});

/** The write that began last has the highest sequence, and says that the oldest that runs is awaited, or one before it. */
function checkNewest(running: readonly (RequestIdentity | undefined)[]): void {
  const sequences = running.map((identity) => identity?.sequence ?? 0);
  expect(running.at(-1)?.sequence).toBe(Math.max(...sequences));
  expect(running.at(-1)?.lowestAwaited).toBeLessThanOrEqual(Math.min(...sequences));
}
