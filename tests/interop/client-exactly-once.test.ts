import { connect, type PutResult, type RaftKVClient } from "@raftkv/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProcessCluster } from "../support/process-cluster.ts";

const workers = 16;
const kills = 3;
const pauseMs = 700;

describe("RaftKV's own writes while leaders are killed", () => {
  let cluster: ProcessCluster;
  let client: RaftKVClient;

  beforeAll(async () => {
    cluster = await ProcessCluster.start({ size: 3, flags: ["--heartbeat-interval=50", "--election-timeout=500", "--log-level=warn"] });
    client = await connect(cluster.endpoints, { timeoutMs: 20_000 });
  });
  afterAll(async () => {
    client?.close();
    await cluster?.dispose();
  });

  test("each is applied once and answered so, however often it was sent", async () => {
    let over = false;
    let attemptsFailed = 0;
    const results: PutResult[] = [];
    const witness = await connect(cluster.endpoints, {
      timeoutMs: 20_000,
      onEvent: ({ kind }) => {
        if (kind === "failure") attemptsFailed += 1;
      },
    });
    const load = Array.from({ length: workers }, async (_, worker) => {
      for (let round = 0; !over; round++) results.push(await witness.put(`key-${worker}-${round}`, "x"));
    });
    for (let kill = 0; kill < kills; kill++) {
      const leader = await cluster.leader();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await leader.kill();
      await cluster.leader();
      leader.start();
    }
    over = true;
    await Promise.all(load);
    witness.close();
    // A write that was executed twice would have found its key there.
    expect(results.filter(({ outcome }) => outcome !== "created")).toEqual([]);
    expect(results.length).toBeGreaterThan(100);
    expect(attemptsFailed).toBeGreaterThan(0);
    expect((await client.etcd.range({ prefix: "key-" }, { countOnly: true })).count).toBe(results.length);
    console.log(`${results.length} writes, ${attemptsFailed} attempts failed, ${kills} leaders killed`);
  });
});
