import type { RaftKvResponse } from "@raftkv/api";
import { describe, expect, test } from "vitest";
import { putOf, type RunningCluster, runCluster, text } from "../testing/api-client.ts";

const timeoutMs = 5_000;
const first = { clientId: 99n, sequence: 1, lowestAwaited: 1 };

/** Sends a put to whoever leads. */
function putAtLeader({ cluster, clients }: RunningCluster, key: string, identity: typeof first): Promise<RaftKvResponse> {
  const leaderAt = cluster.nodes.findIndex((node) => cluster.memberOn(node)?.context.node.isLeader === true);
  const client = clients[leaderAt];
  if (client === undefined) throw new Error("Nobody leads");
  return cluster.simulation.drive(() => client.raftkv.put({ key: text(key), value: text("1"), ...identity }, { timeoutMs }));
}

function sessionCounts({ cluster }: RunningCluster): readonly (number | undefined)[] {
  return cluster.nodes.map((node) => cluster.memberOn(node)?.context.state.store.sessions.count);
}

describe("A put that its client sends again", () => {
  test("is answered as the first time, also by the next leader", async () => {
    const running = await runCluster(21);
    const { cluster } = running;
    expect(await putAtLeader(running, "a", first)).toMatchObject({ status: "created", revision: 2 });
    expect(await putAtLeader(running, "a", first)).toMatchObject({ status: "created", revision: 2 });
    const leader = cluster.nodes.find((node) => cluster.memberOn(node)?.context.node.isLeader === true);
    if (leader !== undefined) cluster.crash(leader);
    await cluster.simulation.runFor(5_000);
    expect(await putAtLeader(running, "a", first)).toMatchObject({ status: "created", revision: 2 });
    expect(await putAtLeader(running, "a", { ...first, sequence: 2 })).toMatchObject({ status: "already-exists", revision: 2 });
  });

  test("is answered as the first time after all members have lost power", async () => {
    const running = await runCluster(22, ["--snapshot-count=20"]);
    const { cluster } = running;
    await putAtLeader(running, "a", first);
    await cluster.simulation.drive(async () => {
      for (let i = 0; i < 60; i++) await running.atFollower.kv.put(putOf(`k${i}`, "v"), { timeoutMs });
    });
    for (const node of cluster.nodes) cluster.losePower(node);
    await cluster.simulation.drive(() => cluster.startAll());
    await cluster.simulation.runFor(5_000);
    expect(await putAtLeader(running, "a", first)).toMatchObject({ status: "created", revision: 2 });
  });

  test("is refused when nobody knows any more, because the client was silent for an hour", async () => {
    const running = await runCluster(23);
    await putAtLeader(running, "a", first);
    await putAtLeader(running, "b", { ...first, sequence: 2, lowestAwaited: 2 });
    await running.cluster.simulation.runFor(50 * 60_000);
    expect(sessionCounts(running)).toEqual([1, 1, 1]);
    await running.cluster.simulation.runFor(12 * 60_000);
    expect(sessionCounts(running)).toEqual([0, 0, 0]);
    expect(await putAtLeader(running, "b", { ...first, sequence: 2, lowestAwaited: 2 })).toMatchObject({
      status: "session-lost",
      message: expect.stringContaining("its client was silent for too long"),
    });
    expect(await putAtLeader(running, "b", { clientId: 100n, sequence: 1, lowestAwaited: 1 })).toMatchObject({ status: "already-exists" });
  });

  test.each([
    [{ clientId: 99n, sequence: 0, lowestAwaited: 0 }, "The request has a client id but no sequence: requests are counted from 1"],
    [{ clientId: 99n, sequence: 2, lowestAwaited: 3 }, "The client can't await request 3 first: this is request 2"],
  ])("is refused with a sentence if it can't be recognised: %o", async (identity, message) => {
    const running = await runCluster(24);
    expect(await putAtLeader(running, "a", identity)).toMatchObject({ status: "bad-request", message });
    expect(sessionCounts(running)).toEqual([0, 0, 0]);
  });
});
