import type { RaftKvResponse } from "@raftkv/api";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import { promptRedirectsMax } from "./leader-router.ts";
import { RaftKVClient } from "./raftkv-client.ts";
import { redirectTo, ScriptedCluster } from "./testing/scripted-cluster.ts";

const first = "127.0.0.1:1001";
const second = "127.0.0.1:1002";
const third = "127.0.0.1:1003";

function never(): Promise<Partial<RaftKvResponse>> {
  return new Promise(() => undefined);
}

/** What a call rejects with. */
async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    return { resolved: await call };
  } catch (error) {
    return error;
  }
}

describe("the four operations", () => {
  test("put creates a key, or says that it exists", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, ({ key }) => (key === "new" ? { status: "created", revision: 8 } : { status: "already-exists" }));
    const client = cluster.client({ endpoints: [first] });
    expect(await cluster.clock.settle(client.put("new", "v"))).toEqual({ outcome: "created", revision: 8 });
    expect(await cluster.clock.settle(client.put("old", "v"))).toEqual({ outcome: "already-exists" });
  });

  test("update creates or replaces", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, ({ key }) => ({ status: key === "new" ? "created" : "success", revision: 8 }));
    const client = cluster.client({ endpoints: [first] });
    expect(await cluster.clock.settle(client.update("new", "v"))).toEqual({ outcome: "created", revision: 8 });
    expect(await cluster.clock.settle(client.update("old", "v"))).toEqual({ outcome: "replaced", revision: 8 });
  });

  test("get finds bytes as they are, also none, or says that there is no key", async () => {
    const cluster = new ScriptedCluster();
    const binary = new Uint8Array([0, 255, 10]);
    const empty = new Uint8Array(0);
    const values = new Map([
      ["binary", binary],
      ["empty", empty],
    ]);
    cluster.member(first, ({ key }) => {
      const value = values.get(key);
      return value === undefined ? { status: "not-found" } : { status: "success", value, revision: 8 };
    });
    const client = cluster.client({ endpoints: [first] });
    expect(await cluster.clock.settle(client.get("binary"))).toEqual({ outcome: "found", value: binary, revision: 8 });
    expect(await cluster.clock.settle(client.get("empty"))).toEqual({ outcome: "found", value: empty, revision: 8 });
    expect(await cluster.clock.settle(client.get(new Uint8Array([120])))).toEqual({ outcome: "not-found" });
  });

  test("remove removes a key, or says that there is none", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, ({ key }) => (key === "old" ? { status: "success", revision: 8 } : { status: "not-found" }));
    const client = cluster.client({ endpoints: [first] });
    expect(await cluster.clock.settle(client.remove("old"))).toEqual({ outcome: "removed", revision: 8 });
    expect(await cluster.clock.settle(client.remove("new"))).toEqual({ outcome: "not-found" });
  });

  test("requests carry the client's id and are counted from 1", async () => {
    const cluster = new ScriptedCluster();
    const member = cluster.member(first);
    const client = cluster.client({ endpoints: [first] });
    await cluster.clock.settle(client.get("a"));
    await cluster.clock.settle(client.get("b"));
    const other = cluster.client({ endpoints: [first] });
    await cluster.clock.settle(other.get("c"));
    expect(member.seen.map(({ sequence }) => sequence)).toEqual([1, 2, 1]);
    const ids = member.seen.map(({ clientId }) => clientId);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
    expect(ids.every((id) => id > 2n ** 32n)).toBe(true);
  });

  test("a request that the server refuses rejects with the server's sentence", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, () => ({ status: "bad-request", message: "The key is empty" }));
    const client = cluster.client({ endpoints: [first] });
    expect(await cluster.clock.settle(failure(client.put("", "v")))).toMatchObject({
      code: "ERR_BAD_REQUEST",
      retryable: "never",
      message: "The key is empty",
    });
  });

  test("calls on one connection may overlap, and each gets its own answer", async () => {
    const cluster = new ScriptedCluster();
    const member = cluster.member(first, ({ key }) => ({ value: new TextEncoder().encode(key) }));
    const client = cluster.client({ endpoints: [first] });
    const keys = Array.from({ length: 50 }, (_, place) => `key-${place}`);
    const results = await cluster.clock.settle(Promise.all(keys.map((key) => client.get(key))));
    expect(results.map((result) => (result.outcome === "found" ? new TextDecoder().decode(result.value) : result.outcome))).toEqual(keys);
    expect(member.connectionsTotal).toBe(1);
  });
});

describe("redirects", () => {
  test("a member that is not the leader is believed, and the leader is remembered", async () => {
    const cluster = new ScriptedCluster();
    const leader = cluster.member(second, () => ({ status: "created" }));
    const follower = cluster.member(first, () => redirectTo(leader));
    const client = cluster.client({ endpoints: [first] });
    expect(await cluster.clock.settle(client.put("a", "v"))).toMatchObject({ outcome: "created" });
    await cluster.clock.settle(client.put("b", "v"));
    expect(follower.seen.map(({ key }) => key)).toEqual(["a"]);
    expect(leader.seen.map(({ key, sequence }) => [key, sequence])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(client.view.leader).toBe(second);
  });

  test("without following, the call tells where the leader is and asks nobody else", async () => {
    const cluster = new ScriptedCluster();
    const leader = cluster.member(second);
    cluster.member(first, () => redirectTo(leader, "n2"));
    const client = cluster.client({ endpoints: [first], followRedirects: false });
    expect(await cluster.clock.settle(client.put("a", "v"))).toEqual({
      outcome: "redirect",
      leader: { id: 7n, name: "n2", clientUrls: [`http://${second}`] },
    });
    expect(leader.seen).toEqual([]);
  });

  test("when the leader changes, the client goes with it", async () => {
    const cluster = new ScriptedCluster();
    let leads = first;
    const script = (address: string) => () => (leads === address ? {} : redirectTo({ address: leads }));
    const one = cluster.member(first, script(first));
    const two = cluster.member(second, script(second));
    const client = cluster.client({ endpoints: [first, second] });
    await cluster.clock.settle(client.update("a", "v"));
    leads = second;
    await cluster.clock.settle(client.update("b", "v"));
    await cluster.clock.settle(client.update("c", "v"));
    expect(one.seen.map(({ key }) => key)).toEqual(["a", "b"]);
    expect(two.seen.map(({ key }) => key)).toEqual(["b", "c"]);
  });

  test("while nobody knows a leader the client waits, and gets its answer from the one that is elected", async () => {
    const cluster = new ScriptedCluster();
    let elected = false;
    const one = cluster.member(first, () => (elected ? redirectTo({ address: second }) : redirectTo(null)));
    cluster.member(second, () => (elected ? { status: "created" } : redirectTo(null)));
    const client = cluster.client({ endpoints: [first, second] });
    cluster.clock.setTimer(700, () => {
      elected = true;
    });
    expect(await cluster.clock.settle(client.put("a", "v"))).toMatchObject({ outcome: "created" });
    expect(one.seen.length).toBeGreaterThan(2);
    expect(one.seen.length).toBeLessThan(10);
  });

  test("members that redirect in a circle are asked ever more rarely, until the time is over", async () => {
    const cluster = new ScriptedCluster();
    const one = cluster.member(first, () => redirectTo({ address: second }));
    const two = cluster.member(second, () => redirectTo({ address: first }));
    const client = cluster.client({ endpoints: [first], timeoutMs: 10_000 });
    const error = await cluster.clock.settle(failure(client.put("a", "v")));
    expect(error).toMatchObject({ code: "ERR_TIMEOUT", retryable: "safe" });
    const askedTotal = one.seen.length + two.seen.length;
    expect(askedTotal).toBeGreaterThan(promptRedirectsMax);
    expect(askedTotal).toBeLessThan(60);
  });

  test("a member that names itself, or a leader without an address, is asked again only after a pause", async () => {
    for (const answer of [
      redirectTo({ address: first }),
      { status: "redirect", leader: { id: 7n, name: "n7", clientUrls: [] } } as const,
    ]) {
      const cluster = new ScriptedCluster();
      const one = cluster.member(first, () => answer);
      const client = cluster.client({ endpoints: [first], timeoutMs: 1000 });
      expect(await cluster.clock.settle(failure(client.get("a")))).toMatchObject({ code: "ERR_TIMEOUT" });
      expect(one.seen.length).toBeLessThan(10);
    }
  });

  test("a redirect to a leader that is dead leads back to the others, until one of them leads", async () => {
    const cluster = new ScriptedCluster();
    const dead = cluster.member(third);
    dead.reachable = "refuses";
    let elected = false;
    cluster.member(first, () => (elected ? {} : redirectTo(dead)));
    cluster.member(second, () => redirectTo(elected ? { address: first } : dead));
    const client = cluster.client({ endpoints: [first, second] });
    cluster.clock.setTimer(900, () => {
      elected = true;
    });
    expect(await cluster.clock.settle(client.remove("a"))).toMatchObject({ outcome: "removed" });
    expect(client.view.leader).toBe(first);
  });

  test("events tell of each redirect", async () => {
    const cluster = new ScriptedCluster();
    const leader = cluster.member(second);
    cluster.member(first, () => redirectTo(leader, "n2"));
    const events: unknown[] = [];
    const client = cluster.client({ endpoints: [first], onEvent: (event) => events.push(event) });
    await cluster.clock.settle(client.get("a"));
    expect(events).toEqual([{ kind: "redirect", from: first, leader: { id: 7n, name: "n2", clientUrls: [`http://${second}`] } }]);
  });
});

describe("members that cannot be reached", () => {
  test("the next endpoint is asked when one refuses connections", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first).reachable = "refuses";
    cluster.member(second, () => ({ status: "created" }));
    const client = cluster.client({ endpoints: [first, second] });
    expect(await cluster.clock.settle(client.put("a", "v"))).toMatchObject({ outcome: "created" });
  });

  test("the next endpoint is asked when one never answers a connection, within the time", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first).reachable = "silent";
    cluster.member(second, () => ({ status: "created" }));
    const client = cluster.client({ endpoints: [first, second], timeoutMs: 4000 });
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.clock.settle(client.put("a", "v"))).toMatchObject({ outcome: "created" });
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThanOrEqual(2100);
  });

  test("if none can be reached the call ends at its deadline, and names the last reason", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first).reachable = "refuses";
    cluster.member(second).reachable = "refuses";
    const client = cluster.client({ endpoints: [first, second], timeoutMs: 3000 });
    const startMs = cluster.clock.monotonicMs();
    const error = await cluster.clock.settle(failure(client.put("a", "v")));
    expect(error).toMatchObject({ code: "ERR_TIMEOUT", retryable: "safe" });
    expect(String(error)).toMatch(/The put found no leader within 3000 ms; last try: 127\.0\.0\.1:100[12]: .*refused the connection/);
    expect(cluster.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(3000);
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(3050);
  });

  test("a member that comes back is used again", async () => {
    const cluster = new ScriptedCluster();
    const member = cluster.member(first);
    member.reachable = "refuses";
    const client = cluster.client({ endpoints: [first] });
    cluster.clock.setTimer(1500, () => {
      member.reachable = "yes";
    });
    expect(await cluster.clock.settle(client.get("a"))).toMatchObject({ outcome: "found" });
    member.cutConnections();
    expect(await cluster.clock.settle(client.get("a"))).toMatchObject({ outcome: "found" });
    expect(member.connectionsTotal).toBe(2);
  });

  test("when the leader dies the client finds the new one", async () => {
    const cluster = new ScriptedCluster();
    let leads = first;
    const script = (address: string) => () => (leads === address ? { status: "created" as const } : redirectTo({ address: leads }));
    const one = cluster.member(first, script(first));
    cluster.member(second, script(second));
    cluster.member(third, script(third));
    const client = cluster.client({ endpoints: [first, second, third] });
    await cluster.clock.settle(client.put("a", "v"));
    one.reachable = "refuses";
    one.cutConnections();
    await cluster.clock.pass(10);
    leads = third;
    expect(await cluster.clock.settle(client.put("b", "v"))).toMatchObject({ outcome: "created" });
    expect(client.view.leader).toBe(third);
  });
});

describe("when it is unknown whether a write was applied", () => {
  test("a write whose connection breaks is sent again as the same request, to whoever leads then", async () => {
    const cluster = new ScriptedCluster();
    const one = cluster.member(first, never);
    const two = cluster.member(second, () => ({ status: "created" }));
    const client = cluster.client({ endpoints: [first, second] });
    cluster.clock.setTimer(100, () => one.cutConnections());
    expect(await cluster.clock.settle(client.put("a", "v"))).toMatchObject({ outcome: "created" });
    expect(two.seen).toEqual(one.seen);
    expect(two.seen).toHaveLength(1);
  });

  test("a write that gets no answer leaves time to ask another member, with the same request", async () => {
    const cluster = new ScriptedCluster();
    const one = cluster.member(first, never);
    const two = cluster.member(second, () => ({ status: "created" }));
    const client = cluster.client({ endpoints: [first, second], timeoutMs: 2000 });
    expect(await cluster.clock.settle(client.put("a", "v"))).toMatchObject({ outcome: "created" });
    expect(two.seen).toEqual(one.seen);
  });

  test("a write of a client that does not follow redirects is not sent again", async () => {
    const cluster = new ScriptedCluster();
    const one = cluster.member(first, never);
    const two = cluster.member(second);
    const client = cluster.client({ endpoints: [first, second], followRedirects: false });
    cluster.clock.setTimer(100, () => one.cutConnections());
    expect(await cluster.clock.settle(failure(client.put("a", "v")))).toMatchObject({
      code: "ERR_OUTCOME_UNKNOWN",
      retryable: "maybe-applied",
    });
    expect([one.seen.length, two.seen.length]).toEqual([1, 0]);
  });

  test("a read whose connection breaks is sent to another member", async () => {
    const cluster = new ScriptedCluster();
    const one = cluster.member(first, never);
    cluster.member(second);
    const client = cluster.client({ endpoints: [first, second] });
    cluster.clock.setTimer(100, () => one.cutConnections());
    expect(await cluster.clock.settle(client.get("a"))).toMatchObject({ outcome: "found" });
  });

  test("a write that nobody answers ends at its deadline as unknown, though the last attempts were certainly not applied", async () => {
    const cluster = new ScriptedCluster();
    const one = cluster.member(first, never);
    cluster.member(second).reachable = "refuses";
    const client = cluster.client({ endpoints: [first, second], timeoutMs: 2000 });
    cluster.clock.setTimer(100, () => {
      one.reachable = "refuses";
      one.cutConnections();
    });
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.clock.settle(failure(client.remove("a")))).toMatchObject({ code: "ERR_OUTCOME_UNKNOWN" });
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(2100);
  });

  test("a write is not sent again when the cluster may have forgotten the client", async () => {
    const cluster = new ScriptedCluster();
    const one = cluster.member(first, () => ({ status: "internal-error", message: "leadership was lost" }));
    const client = cluster.client({ endpoints: [first] });
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.clock.settle(failure(client.put("a", "v", { timeoutMs: 300_000 })))).toMatchObject({
      code: "ERR_OUTCOME_UNKNOWN",
      message: `It is unknown whether the put was applied: ${first}: leadership was lost`,
    });
    expect(cluster.clock.monotonicMs() - startMs).toBeGreaterThan(30_000);
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(32_000);
    expect(one.seen.length).toBeGreaterThan(10);
  });

  test.each(["bad-request", "session-lost", "overloaded"] as const)(
    "a repeated write that is refused as %s may have been executed the first time",
    async (refusal) => {
      const cluster = new ScriptedCluster();
      let asked = 0;
      cluster.member(first, () => {
        asked += 1;
        return asked === 1 ? { status: "internal-error" } : { status: refusal, message: "the words of the server" };
      });
      const client = cluster.client({ endpoints: [first] });
      expect(await cluster.clock.settle(failure(client.put("a", "v")))).toMatchObject({ code: "ERR_OUTCOME_UNKNOWN" });
    },
  );

  test("a write whose session the cluster has forgotten is sent again in another, once", async () => {
    const cluster = new ScriptedCluster();
    const lost: bigint[] = [];
    const member = cluster.member(first, ({ clientId }) => {
      if (lost.length < 2 && lost.at(-1) !== clientId) lost.push(clientId);
      return lost.includes(clientId) ? { status: "session-lost", message: "nobody knows" } : { status: "created" };
    });
    const client = cluster.client({ endpoints: [first] });
    expect(await cluster.clock.settle(failure(client.put("a", "v")))).toMatchObject({ code: "ERR_REJECTED" });
    expect(member.seen.map(({ clientId }) => clientId)).toEqual(lost);
    expect(await cluster.clock.settle(client.put("a", "v"))).toMatchObject({ outcome: "created" });
    lost.push(member.seen.at(-1)?.clientId ?? 0n);
    expect(await cluster.clock.settle(client.put("b", "v"))).toMatchObject({ outcome: "created" });
    expect(member.seen.map(({ key }) => key)).toEqual(["a", "a", "a", "b", "b"]);
  });

  test("a write for which there is no room now may be sent again later", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, () => ({ status: "overloaded", message: "There are too many clients" }));
    const client = cluster.client({ endpoints: [first] });
    const expected = { code: "ERR_OVERLOADED", retryable: "safe", message: "There are too many clients" };
    expect(await cluster.clock.settle(failure(client.put("a", "v")))).toMatchObject(expected);
  });

  test("a read that gets no answer leaves time to ask another member", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, never);
    cluster.member(second);
    const client = cluster.client({ endpoints: [first, second], timeoutMs: 2000 });
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.clock.settle(client.get("a"))).toMatchObject({ outcome: "found" });
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(1100);
  });
});

describe("signals", () => {
  test("a call whose signal aborts is given up, while it waits and while it runs", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, never);
    cluster.member(second).reachable = "refuses";
    for (const endpoint of [first, second]) {
      const client = cluster.client({ endpoints: [endpoint] });
      const controller = new AbortController();
      cluster.clock.setTimer(300, () => controller.abort(new Error("not needed any more")));
      const startMs = cluster.clock.monotonicMs();
      expect(await cluster.clock.settle(failure(client.put("a", "v", { signal: controller.signal })))).toMatchObject({
        code: "ERR_ABORTED",
        cause: { message: "not needed any more" },
      });
      expect(cluster.clock.monotonicMs() - startMs).toBe(300);
      expect(await cluster.clock.settle(failure(client.get("a", { signal: controller.signal })))).toMatchObject({ code: "ERR_ABORTED" });
    }
  });
});

test("a status that repeating would not change rejects at once", async () => {
  const cluster = new ScriptedCluster();
  const one = cluster.member(first, () => {
    throw new RpcError(StatusCode.PERMISSION_DENIED, "no");
  });
  const client = cluster.client({ endpoints: [first, second] });
  expect(await cluster.clock.settle(failure(client.get("a")))).toMatchObject({
    code: "ERR_REJECTED",
    message: `${first} rejected the get: PERMISSION_DENIED: no`,
  });
  expect(one.seen.length).toBe(1);
});

describe("limits and the end", () => {
  test("more calls than inFlightMax are refused", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first);
    const client = cluster.client({ endpoints: [first], inFlightMax: 2 });
    const calls = Promise.all([client.get("a"), client.get("b")]);
    expect(await cluster.clock.settle(failure(client.get("c")))).toMatchObject({ code: "ERR_OVERLOADED", retryable: "safe" });
    await cluster.clock.settle(calls);
    expect(await cluster.clock.settle(client.get("c"))).toMatchObject({ outcome: "found" });
  });

  test("closing ends what waits and what runs, and later calls", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, never);
    const busy = cluster.client({ endpoints: [first] });
    const waiting = cluster.client({ endpoints: [second] });
    const outcomes = Promise.all([failure(busy.put("a", "v")), failure(busy.get("a")), failure(waiting.put("a", "v"))]);
    cluster.clock.setTimer(500, () => {
      busy.close();
      waiting.close();
    });
    expect(await cluster.clock.settle(outcomes)).toMatchObject([
      { code: "ERR_OUTCOME_UNKNOWN" },
      { code: "ERR_CLOSED" },
      { code: "ERR_CLOSED" },
    ]);
    busy.close();
    expect(await cluster.clock.settle(failure(busy.get("a")))).toMatchObject({ code: "ERR_CLOSED" });
    expect(await cluster.clock.settle(failure(busy.status()))).toMatchObject({ code: "ERR_CLOSED" });
  });

  test("the client is busy from the first of overlapping calls to the end of the last, however they end", async () => {
    const cluster = new ScriptedCluster();
    cluster.member(first, ({ key }) => ({ status: key === "bad" ? "bad-request" : "success" }));
    const { connect, clock, random } = cluster;
    const told: boolean[] = [];
    const client = new RaftKVClient({ endpoints: [first], connect, clock, random, onBusy: (busy) => told.push(busy) });
    await clock.settle(Promise.all([client.get("a"), failure(client.get("bad"))]));
    expect(told).toEqual([true, false]);
    await clock.settle(client.status());
    expect(told).toEqual([true, false, true, false]);
  });

  test.each([
    [{ endpoints: [] }, "No endpoint is given"],
    [{ endpoints: [first], timeoutMs: 0 }, "Time-out 0 ms is not between 1 and 2147483647"],
    [{ endpoints: [first], timeoutMs: Number.NaN }, "Time-out NaN ms is not between 1 and 2147483647"],
    [{ endpoints: [first], inFlightMax: 0 }, "inFlightMax 0 is less than 1"],
  ])("%j is refused at once", (settings, sentence) => {
    expect(() => new ScriptedCluster().client(settings)).toThrow(sentence);
  });
});
