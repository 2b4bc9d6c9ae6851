import type { ClientCall, ClientStreamCall, UnaryDone } from "@raftkv/raft-rpc";
import { afterEach, expect, test } from "vitest";
import { openChannel } from "../cluster/member-channel.ts";
import { MemoryMember, type PutFault } from "../testing/memory-member.ts";
import { EachKeyOnce, type KeySource } from "./key-source.ts";
import { KeySpace } from "./key-space.ts";
import { generateLoad, type LoadOptions, type LoadResult } from "./load-generator.ts";
import type { Caller } from "./request-slot.ts";
import { buildWorkload, type WorkloadName } from "./workload.ts";
import { WriteLedger } from "./write-ledger.ts";

const keys = new KeySpace({ count: 50, valueBytes: 16, seed: 1 });
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function startMember(faultOf?: (putNumber: number) => PutFault | null): Promise<MemoryMember> {
  const member = await MemoryMember.start(faultOf);
  closers.push(() => member.close());
  return member;
}

function run(member: MemoryMember, workload: WorkloadName, overrides: Partial<LoadOptions> = {}): Promise<LoadResult> {
  const channels = Array.from({ length: 3 }, () => openChannel(member.port));
  closers.push(async () => {
    for (const channel of channels) await channel.close();
  });
  return generateLoad({
    channels,
    inFlight: 4,
    workload: buildWorkload(workload, keys),
    keys: new EachKeyOnce(keys.count),
    durationMs: Number.POSITIVE_INFINITY,
    ledger: null,
    signal: new AbortController().signal,
    ...overrides,
  });
}

/** Asks for keys until it has given `limit` of them, then ends the run by `end`. */
function keysThen(limit: number, end: () => void): KeySource {
  let given = 0;
  return {
    next() {
      if (++given === limit) end();
      return given % keys.count;
    },
  };
}

test("every key is put once, and each put is noted as sent and acknowledged", async () => {
  const member = await startMember();
  const ledger = new WriteLedger(keys.count);
  const result = await run(member, "put", { ledger });
  expect(result.answers).toBe(keys.count);
  expect(result.errors.size).toBe(0);
  expect(member.putCount).toBe(keys.count);
  expect([...ledger.sent]).toEqual(Array(keys.count).fill(1));
  expect([...ledger.acknowledged]).toEqual(Array(keys.count).fill(1));
  expect([ledger.sentTotal, ledger.acknowledgedTotal]).toEqual([keys.count, keys.count]);
});

/** Passes calls on, and notes how many were on their way at most. */
class WatchedCaller implements Caller {
  inFlightMax = 0;
  readonly #channel: Caller;
  #inFlight = 0;

  constructor(channel: Caller) {
    this.#channel = channel;
  }

  request(path: string, message: Uint8Array, done: UnaryDone): ClientCall {
    this.#inFlight++;
    this.inFlightMax = Math.max(this.inFlightMax, this.#inFlight);
    return this.#channel.request(path, message, (error, response) => {
      this.#inFlight--;
      done(error, response);
    });
  }

  stream(...call: Parameters<Caller["stream"]>): ClientStreamCall {
    return this.#channel.stream(...call);
  }
}

test("as many requests as asked are on their way on each channel, and never more", async () => {
  const member = await startMember();
  const channels = [new WatchedCaller(member.channel), new WatchedCaller(member.channel)];
  await run(member, "put", { channels });
  expect(channels.map(({ inFlightMax }) => inFlightMax)).toEqual([4, 4]);
});

test("leases are kept alive one after the other on each stream", async () => {
  const member = await startMember();
  member.leases = 40;
  const result = await run(member, "lease");
  expect(member.streamCount).toBe(3 * 4);
  // Keys 0 to 49 stand for leases 1 to 50, of which ten were never granted.
  expect(result.answers).toBe(40);
  expect([...result.errors]).toEqual([["a lease that was granted is gone", 10]]);
});

test("rate and latencies belong together", async () => {
  const member = await startMember();
  const result = await run(member, "put");
  expect(result.ratePerSecond).toBeCloseTo((result.answers / result.durationMs) * 1000, 6);
  expect(result.p50Ms).toBeGreaterThan(0);
  expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
  expect(result.maxMs).toBeGreaterThanOrEqual(result.p99Ms);
  expect(result.longestGapMs).toBeGreaterThanOrEqual(result.durationMs / (result.answers + 1));
  expect(result.longestGapMs).toBeLessThanOrEqual(result.durationMs);
});

test("a refused put is counted under its status and message, and is not noted as acknowledged", async () => {
  const member = await startMember((put) => (put % 10 === 0 ? "refuses" : null));
  const ledger = new WriteLedger(keys.count);
  const result = await run(member, "put", { ledger });
  expect([...result.errors]).toEqual([["UNAVAILABLE etcdserver: leader changed", 5]]);
  expect(result.answers).toBe(45);
  expect([ledger.sentTotal, ledger.acknowledgedTotal]).toEqual([50, 45]);
});

test("a run in which nothing works is given up", async () => {
  const member = await startMember(() => "refuses");
  const endless: KeySource = { next: () => 0 };
  const result = await run(member, "put", { keys: endless });
  expect(result.errors.get("UNAVAILABLE etcdserver: leader changed")).toBe(1000);
  expect(result.answers).toBe(0);
});

test("a read whose answer is too short for a value is an error", async () => {
  const member = await startMember();
  const missing = await run(member, "range");
  expect([...missing.errors.keys()]).toHaveLength(1);
  expect([...missing.errors.keys()][0]).toMatch(/^the answer has \d+ bytes, 16 are the least$/);
  expect(missing.answers).toBe(0);
});

test("reads of keys that are there are answered", async () => {
  const member = await startMember();
  await run(member, "put");
  for (const workload of ["range", "serializable"] as const) {
    const result = await run(member, workload);
    expect([result.answers, result.errors.size]).toEqual([keys.count, 0]);
  }
});

test("time ends a run whose keys do not end", async () => {
  const member = await startMember();
  const endless: KeySource = { next: () => 0 };
  const result = await run(member, "put", { keys: endless, durationMs: 30 });
  expect(result.durationMs).toBeCloseTo(30, 6);
  expect(result.errors.size).toBe(0);
});

test("an aborted run rejects with the reason of the signal", async () => {
  const member = await startMember();
  const abort = new AbortController();
  const reason = new Error("stop");
  await expect(run(member, "put", { keys: keysThen(30, () => abort.abort(reason)), signal: abort.signal })).rejects.toBe(reason);
  await expect(run(member, "put", { signal: abort.signal })).rejects.toBe(reason);
});
