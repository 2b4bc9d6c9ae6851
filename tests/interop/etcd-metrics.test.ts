import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { etcdProgram } from "../support/etcd-process.ts";
import { type LoneServer, startEtcd, startRaftKV } from "../support/lone-server.ts";

if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): its metrics are not compared");

const timeoutMs = 60_000;
/** What both must have counted the same after the same requests; etcd's count of ranges has some of its own. */
const compared = [
  /^etcd_(debugging_)?mvcc_(put|delete|txn)_total /,
  /^etcd_debugging_mvcc_(keys_total|current_revision|compact_revision|watcher_total|watch_stream_total|slow_watcher_total) /,
  /^etcd_debugging_lease_(granted|revoked|renewed)_total /,
  /^etcd_debugging_lease_ttl_total_(bucket\{le="\d{1,6}"\}|sum|count) /,
  /^etcd_debugging_server_lease_expired_total /,
  /^etcd_mvcc_hash_duration_seconds_count /,
  /^etcd_server_(has_leader|is_leader|is_learner|proposals_failed_total|slow_read_indexes_total|read_indexes_failed_total) /,
  /^grpc_server_(started|handled|msg_received|msg_sent)_total\{/,
  /^etcd_server_client_requests_total\{/,
];

async function metricsOf(server: LoneServer): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
  return (await response.text()).split("\n");
}

function namesIn(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => /^# TYPE (\w+)/.exec(line)?.[1] ?? []);
}

/** The samples that are compared, with their labels in one order. */
function figuresIn(lines: readonly string[]): ReadonlyMap<string, number> {
  const samples = lines.filter((line) => compared.some((pattern) => pattern.test(line)));
  return new Map(
    samples.map((line) => {
      const [, name = "", labels = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return [`${name}{${labels.split(",").sort().join()}}`, Number(value)];
    }),
  );
}

/** What changed, and by how much. */
async function changesBy(server: LoneServer, work: (server: LoneServer) => Promise<void>): Promise<Readonly<Record<string, number>>> {
  const before = figuresIn(await metricsOf(server));
  await work(server);
  const after = figuresIn(await metricsOf(server));
  const changes = [...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
}

/** Requests whose answers do not matter here. */
async function ask(server: LoneServer): Promise<void> {
  const key = (text: string): string => Buffer.from(text).toString("base64");
  const put = { request_put: { key: key("t"), value: "dA==" } };
  const range = { request_range: { key: key("t") } };
  const requests: readonly (readonly [path: string, body: object])[] = [
    ...["a", "b", "c", "b"].map((name) => ["kv/put", { key: key(name), value: "dg==" }] as const),
    ["kv/put", { key: "" }],
    ["kv/put", { key: key("x"), lease: "404" }],
    ["kv/range", { key: key("a"), range_end: key("z") }],
    ["kv/range", { key: key("a"), revision: "99" }],
    ["kv/deleterange", { key: key("b"), range_end: key("z") }],
    ["kv/deleterange", { key: key("b"), range_end: key("z") }],
    ["kv/txn", { success: [put] }],
    ["kv/txn", { success: [put, range, { request_delete_range: { key: key("a") } }] }],
    ["lease/grant", { ID: "7", TTL: "300" }],
    ["lease/grant", { ID: "8", TTL: "40000" }],
    ["lease/grant", { ID: "8", TTL: "9" }],
    ["kv/put", { key: key("leased"), lease: "7" }],
    ["lease/revoke", { ID: "7" }],
    ["lease/revoke", { ID: "7" }],
    ["lease/keepalive", { ID: "8" }],
    ["lease/keepalive", { ID: "9" }],
    ["kv/compaction", { revision: "4" }],
    ["kv/compaction", { revision: "4" }],
    ["maintenance/hash", {}],
  ];
  for (const [path, body] of requests) {
    const options = { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(timeoutMs) };
    await (await fetch(`http://127.0.0.1:${server.port}/v3/${path}`, options)).arrayBuffer();
  }
}

describe.skipIf(etcdProgram === null)("the metrics of a member and of etcd", () => {
  let raftkv: LoneServer;
  let etcd: LoneServer;

  beforeAll(async () => {
    [raftkv, etcd] = await Promise.all([startRaftKV(), startEtcd()]);
  });
  afterAll(() => Promise.all([raftkv.dispose(), etcd.dispose()]));

  test("have the same names, but for those that the page about metrics gives a reason for", async () => {
    const ours = new Set(namesIn(await metricsOf(raftkv)));
    const lacking = namesIn(await metricsOf(etcd)).filter((name) => !ours.has(name) && !/^(go_|etcd_server_go_version)/.test(name));
    const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
    const [, absent = ""] = page.split("## What etcd 3.4 shows and RaftKV does not");
    const explained = Array.from(absent.matchAll(/`(\w+)`/g), ([, name]) => name);
    expect(explained.filter((name) => ours.has(name ?? "")).toSorted()).toEqual([
      "etcd_debugging_mvcc_slow_watcher_total",
      "etcd_disk_wal_fsync_duration_seconds",
      "etcd_mvcc_db_total_size_in_use_in_bytes",
    ]);
    expect(lacking.filter((name) => !explained.includes(name))).toEqual([]);
  });

  test("say the same after the same requests", async () => {
    const [ours, theirs] = await Promise.all([changesBy(raftkv, ask), changesBy(etcd, ask)]);
    expect(Object.keys(theirs).length).toBeGreaterThan(40);
    expect(ours).toEqual(theirs);
    // What a server proposes of its own may have been under way before or after.
    const pending = async (server: LoneServer): Promise<string> =>
      /^etcd_server_proposals_pending (\S+)$/m.exec((await metricsOf(server)).join("\n"))?.[1] ?? "none";
    await expect.poll(() => Promise.all([pending(raftkv), pending(etcd)])).toEqual(["0", "0"]);
  });
});
