import { connect, type PutResult, type RaftKVClient } from "@raftkv/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProcessCluster } from "../support/process-cluster.ts";

const workers = 16;
const kills = 3;
const putsBetween = 1_000;
const text = new TextDecoder();

describe("while leaders are killed", () => {
  let cluster: ProcessCluster;
  let client: RaftKVClient;
  let attemptsFailed: number;

  beforeEach(async () => {
    attemptsFailed = 0;
    cluster = await ProcessCluster.start({ size: 3, flags: ["--log-level=warn"] });
    client = await connect(cluster.endpoints, {
      timeoutMs: 60_000,
      onEvent: ({ kind }) => {
        if (kind === "failure") attemptsFailed += 1;
      },
    });
  });
  afterEach(async () => {
    client?.close();
    await cluster?.dispose();
  });

  /** Creates keys of its own as fast as it can, and resolves to what came out when the last leader is dead. */
  async function putThroughKills(): Promise<readonly PutResult[]> {
    let over = false;
    const results: PutResult[] = [];
    const load = Array.from({ length: workers }, async (_, worker) => {
      for (let round = 0; !over; round++) results.push(await client.put(`key-${worker}-${round}`, "x"));
    });
    for (let kill = 0; kill < kills; kill++) {
      const leader = await cluster.leader();
      const enough = results.length + putsBetween;
      while (results.length < enough) await new Promise((resolve) => setTimeout(resolve, 10));
      await leader.kill();
      await cluster.leader();
      leader.start();
    }
    over = true;
    await Promise.all(load);
    expect(attemptsFailed).toBeGreaterThan(0);
    return results;
  }

  test("RaftKV's own writes are applied once and answered so, however often they were sent", async () => {
    const results = await putThroughKills();
    // A write that was executed twice would have found its key there.
    expect(results.filter(({ outcome }) => outcome !== "created")).toEqual([]);
    expect(results.length).toBeGreaterThan(kills * putsBetween);
    expect((await client.etcd.range({ prefix: "key-" }, { countOnly: true })).count).toBe(results.length);
    console.log(`${results.length} writes, ${attemptsFailed} attempts failed, ${kills} leaders killed`);
  });

  test("watches are told every change once and in order, and locks have one owner at a time", async () => {
    const watch = client.etcd.watch({ prefix: "key-" });
    const quiet = client.etcd.watch("nothing-happens-here");
    await watch.created;
    const seen: { readonly key: string; readonly revision: number }[] = [];
    const reading = (async () => {
      for await (const { events } of watch) {
        for (const { kv } of events) seen.push({ key: text.decode(kv.key), revision: kv.modRevision });
        if (seen.some(({ key }) => key === "key-last")) return;
      }
    })();
    const tokens: number[] = [];
    let owners = 0;
    let lockingOver = false;
    const lockers = Array.from({ length: 3 }, async () => {
      while (!lockingOver) {
        const lock = await client.etcd.lock("locks/one", { ttl: 30 });
        owners += 1;
        tokens.push(owners === 1 && !lock.signal.aborted ? lock.fencingToken : 0);
        await new Promise((resolve) => setTimeout(resolve, 20));
        owners -= 1;
        await lock.unlock();
      }
    });
    const results = await putThroughKills();
    lockingOver = true;
    await Promise.all(lockers);
    await client.etcd.put("key-last", "x");
    await reading;
    quiet.close();
    expect(seen.length).toBe(results.length + 1);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(seen.length);
    expect(seen.map(({ revision }) => revision)).toEqual(seen.map(({ revision }) => revision).toSorted((one, other) => one - other));
    expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
    expect(tokens[0]).toBeGreaterThan(0);
    console.log(`${seen.length} events, ${tokens.length} owners of the lock, ${kills} leaders killed`);
  });
});
