import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommandLine } from "../support/command-line.ts";
import { EtcdProcess, etcdProgram } from "../support/etcd-process.ts";
import { ProcessCluster } from "../support/process-cluster.ts";
import { findProgram } from "../support/program.ts";
import { GatewayStream } from "./gateway-stream.ts";

if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): the JSON gateway is not compared with it");
const curl = findProgram("curl");
if (curl === null) console.warn("curl is not on the PATH: its tests are skipped");

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const [a, b, c, z] = ["a", "b", "c", "z"].map(base64);
const ab = base64("ab");
const lease = "1234567890123456789";
const put = (key: string | undefined, value: string, more = ""): string => `{"key":"${key}","value":"${base64(value)}"${more}}`;

/** Sent to both servers in this order; what one changes the next ones see. */
const unaryRequests: readonly (readonly [path: string, body: string])[] = [
  // Writes and reads.
  ["/v3/kv/range", `{"key":"${a}"}`],
  ["/v3/kv/put", put(a, "1")],
  ["/v3/kv/put", put(b, "2")],
  ["/v3/kv/put", put(c, "3", ',"prev_kv":true')],
  ["/v3/kv/put", put(c, "4", ',"prevKv":true')],
  ["/v3/kv/put", `{"key":"${c}","ignore_value":true,"prev_kv":true}`],
  ["/v3/kv/put", put(c, "x", ',"ignore_value":true')],
  ["/v3/kv/put", `{"key":"${z}","ignore_value":true}`],
  ["/v3/kv/put", put(c, "x", ',"ignore_lease":true,"lease":"5"')],
  ["/v3/kv/put", put(a, "x", ',"lease":"77"')],
  ["/v3/kv/put", put("", "x")],
  ["/v3/kv/put", `{"key":"${a}"}`],
  ["/v3/kv/put", put(a, "1")],
  ["/v3beta/kv/range", `{"key":"${a}"}`],
  ["/v3/kv/range", `{"key":"${a}","range_end":"${z}"}`],
  ["/v3/kv/range", `{"key":"${a}","range_end":"AA==","limit":2}`],
  ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","count_only":true}`],
  ["/v3/kv/range", `{"key":"AA==","rangeEnd":"AA==","keysOnly":true,"sort_order":"DESCEND"}`],
  ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","sort_target":"MOD","sort_order":2,"limit":"1"}`],
  ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","sort_target":"VALUE","sort_order":"ASCEND","serializable":true}`],
  ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","min_mod_revision":"4","max_create_revision":"4"}`],
  ["/v3/kv/range", `{"key":"${a}","revision":2}`],
  ["/v3/kv/range", `{"key":"${a}","revision":"9007199254740993"}`],
  ["/v3/kv/range", `{"key":"${a}","limit":9223372036854775807}`],
  ["/v3/kv/range", "{}"],
  ["/v3/kv/range", ""],
  ["/v3/kv/range", "null"],
  ["/v3/kv/range", `{"key":"${a}"} garbage`],
  ["/v3/kv/range", `{"key":"${a}","key":"${b}"}`],
  ["/v3/kv/range", `{"key":"${a}","unknown":{"deep":[1,{"x":null}]},"limit":null}`],
  ["/v3/kv/range", `{"Key":"${a}"}`],
  // What is no such request.
  ["/v3/kv/range", `{"key":"${a}"`],
  ["/v3/kv/range", `{"key":"${a}",}`],
  ["/v3/kv/range", `{'key':1}`],
  ["/v3/kv/range", `{"key":"${a}" "limit":1}`],
  ["/v3/kv/range", `{"key" "x"}`],
  ["/v3/kv/range", `{"key":"\\x"}`],
  ["/v3/kv/range", `{"key":"${a}","limit":-}`],
  ["/v3/kv/range", `{"key":"${a}","limit":01}`],
  ["/v3/kv/range", "trux"],
  ["/v3/kv/range", "[]"],
  ["/v3/kv/range", "5"],
  ["/v3/kv/range", `{"key":5}`],
  ["/v3/kv/range", `{"key":{}}`],
  ["/v3/kv/range", `{"key":"!!!!"}`],
  ["/v3/kv/range", `{"key":"${a}","limit":1.5}`],
  ["/v3/kv/range", `{"key":"${a}","limit":"x"}`],
  ["/v3/kv/range", `{"key":"${a}","limit":""}`],
  ["/v3/kv/range", `{"key":"${a}","limit":9223372036854775808}`],
  ["/v3/kv/range", `{"key":"${a}","limit":true}`],
  ["/v3/kv/range", `{"key":"${a}","serializable":"true"}`],
  ["/v3/kv/range", `{"key":"${a}","sort_order":"XX"}`],
  ["/v3/kv/range", `{"key":"${a}","sort_order":"2"}`],
  // Transactions.
  [
    "/v3/kv/txn",
    `{"compare":[{"key":"${a}","target":"CREATE","create_revision":"2"}],"success":[{"request_put":{"key":"${a}","value":"${ab}"}}]}`,
  ],
  [
    "/v3/kv/txn",
    `{"compare":[{"key":"${a}","target":"VERSION","result":"GREATER","version":100}],"failure":[{"requestRange":{"key":"${a}"}}]}`,
  ],
  [
    "/v3/kv/txn",
    `{"compare":[{"key":"${a}","target":"VALUE","value":"${ab}"}],"success":[{"request_delete_range":{"key":"${a}","prev_kv":true}}]}`,
  ],
  ["/v3/kv/txn", `{"compare":[{"key":"${a}","target":3,"result":3,"value":"${ab}"}]}`],
  ["/v3/kv/txn", `{"success":[{"request_txn":{"success":[{"request_range":{"key":"${b}"}},{"request_put":${put(ab, "n")}}]}}]}`],
  ["/v3/kv/txn", "{}"],
  ["/v3/kv/txn", `{"compare":null,"success":[]}`],
  ["/v3/kv/txn", `{"success":[{}]}`],
  ["/v3/kv/txn", `{"success":[{"request_put":null}]}`],
  ["/v3/kv/txn", `{"success":[{"request_put":${put(a, "1")}},{"request_put":${put(a, "2")}}]}`],
  ["/v3/kv/txn", `{"compare":{}}`],
  ["/v3/kv/txn", `{"success":[5]}`],
  // Leases.
  ["/v3/lease/grant", `{"TTL":100,"ID":${lease}}`],
  ["/v3/lease/grant", `{"TTL":"100","ID":"${lease}"}`],
  ["/v3/lease/grant", `{"TTL":0,"ID":"6"}`],
  ["/v3/lease/grant", `{"TTL":"9000000001","ID":"7"}`],
  ["/v3/kv/put", put(ab, "leased", `,"lease":${lease}`)],
  ["/v3/lease/timetolive", `{"ID":${lease},"keys":true}`],
  ["/v3/kv/lease/timetolive", `{"ID":"404"}`],
  ["/v3/lease/leases", "{}"],
  ["/v3/kv/lease/leases", `{"a":1}`],
  ["/v3/lease/keepalive", `{"ID":"${lease}"}`],
  ["/v3/lease/keepalive", `{"ID":${lease}} {"ID":"404"}`],
  ["/v3/lease/keepalive", ""],
  ["/v3/lease/revoke", `{"ID":"6"}`],
  ["/v3/kv/lease/revoke", `{"ID":"6"}`],
  ["/v3/lease/revoke", `{"ID":"${lease}"}`],
  // Deletes and history.
  ["/v3/kv/deleterange", `{"key":"${b}","prev_kv":true}`],
  ["/v3/kv/deleterange", `{"key":"${b}"}`],
  ["/v3/kv/deleterange", "{}"],
  ["/v3/kv/range", `{"key":"AA==","range_end":"AA==","revision":"5"}`],
  ["/v3/kv/compaction", `{"revision":"4"}`],
  ["/v3/kv/compaction", `{"revision":"4"}`],
  ["/v3/kv/compaction", `{"revision":"4000"}`],
  ["/v3/kv/range", `{"key":"${a}","revision":"3"}`],
  // Cluster, maintenance, locks and elections.
  ["/v3/cluster/member/list", "{}"],
  ["/v3/maintenance/alarm", `{"action":"GET"}`],
  ["/v3/maintenance/alarm", `{"action":"ACTIVATE","alarm":"NOSPACE","memberID":"5"}`],
  ["/v3/maintenance/alarm", `{"action":"DEACTIVATE","alarm":"NOSPACE","memberID":5}`],
  ...["put", "deleterange", "range"].map((method) => [`/v3/kv/${method}`, `{"key":"${z}"}`] as const),
  ["/v3/maintenance/alarm", `{"action":"ACTIVATE","alarm":"CORRUPT","memberID":"5"}`],
  ["/v3/maintenance/alarm", `{"action":"ACTIVATE","alarm":"CORRUPT","memberID":"5"}`],
  ["/v3/maintenance/alarm", `{"alarm":"CORRUPT"}`],
  ["/v3/maintenance/alarm", `{"alarm":"NOSPACE"}`],
  ...["put", "deleterange", "range"].map((method) => [`/v3/kv/${method}`, `{"key":"${z}"}`] as const),
  ["/v3/kv/txn", `{"success":[{"request_put":{"key":"${z}"}}]}`],
  ["/v3/kv/txn", `{"success":[{"request_range":{"key":"${z}"}}]}`],
  ["/v3/kv/compaction", `{"revision":"5"}`],
  ["/v3/lease/grant", `{"TTL":"60","ID":"8"}`],
  ["/v3/lease/revoke", `{"ID":"8"}`],
  ["/v3/maintenance/alarm", `{"action":"DEACTIVATE","alarm":"CORRUPT","memberID":"6"}`],
  ["/v3/maintenance/alarm", `{"action":"DEACTIVATE","alarm":"NOSPACE","memberID":"5"}`],
  ["/v3/kv/put", put(z, "x")],
  ["/v3/maintenance/alarm", `{"action":"DEACTIVATE","alarm":"CORRUPT","memberID":"5"}`],
  ["/v3/maintenance/alarm", `{"action":"DEACTIVATE","alarm":"CORRUPT","memberID":"5"}`],
  ["/v3/kv/deleterange", `{"key":"${z}"}`],
  ["/v3/maintenance/transfer-leadership", `{"targetID":5}`],
  ["/v3/maintenance/defragment", "{}"],
  ["/v3/election/leader", `{"name":"${a}"}`],
  ["/v3/election/proclaim", "{}"],
  ["/v3/election/resign", "{}"],
  ["/v3/election/campaign", `{"name":"${a}","lease":"99"}`],
  ["/v3/lock/unlock", `{"key":"${z}"}`],
  // Paths.
  ["/v3/kv/nothing", "{}"],
  ["/v3/kv/range/", "{}"],
  ["/v3alpha/kv/range", "{}"],
  ["/v3/kv/range?x=1", `{"key":"${c}"}`],
];

/** Streams, and how many messages come on each. */
const streamRequests: readonly (readonly [path: string, body: string, messageCount: number])[] = [
  ["/v3/watch", `{"create_request":{"key":"${c}"}}`, 1],
  ["/v3/watch", `{"create_request":{"key":"AA==","range_end":"AA==","start_revision":"5","prev_kv":true}}`, 2],
  ["/v3/watch", `{"create_request":{"key":"${a}","start_revision":1}}`, 2],
  ["/v3/watch", `{"create_request":{"key":"${a}"}}{"create_request":{"key":"${b}"}}{"cancel_request":{"watch_id":1}}`, 3],
  ["/v3/watch", `{"create_request":{"key":"${a}","filters":["NOPUT"],"start_revision":"5"}}`, 2],
  ["/v3/election/observe", `{"name":"${z}"}`, 0],
];
/** What comes too much may come later than what has to come. */
const surplusMs = 300;

interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: unknown;
}

/** Both servers have ids, terms and addresses of their own. */
const ownNames = new Set(["cluster_id", "member_id", "raft_term"]);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== "object") return value;
  if ("peerURLs" in value) return "a member";
  if ("grantedTTL" in value && "TTL" in value) {
    const { TTL, ...others } = value;
    return { TTL: whatIsLeft(Number(TTL), Number(value.grantedTTL)), ...(comparable(others) as object) };
  }
  const members = Object.entries(value).map(([name, member]) => [name, ownNames.has(name) ? typeof member : comparable(member)]);
  return Object.fromEntries(members);
}

/** Of a lease. Both servers round it down to seconds, and a second may end between the two answers. */
function whatIsLeft(ttl: number, grantedTtl: number): number | "the most of it" {
  return ttl < grantedTtl && ttl > grantedTtl / 2 ? "the most of it" : ttl;
}

/** JSON documents, one a line, or the text itself. */
function parsed(text: string): unknown {
  try {
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => comparable(JSON.parse(line)));
  } catch {
    return text;
  }
}

async function ask(port: number, path: string, body: string, timeout?: string): Promise<Answer> {
  const headers = { connection: "close", ...(timeout === undefined ? {} : { "grpc-timeout": timeout }) };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body, headers });
  return { status: response.status, contentType: response.headers.get("content-type"), body: parsed(await response.text()) };
}

describe.skipIf(etcdProgram === null)("the JSON gateway answers as that of etcd 3.4", () => {
  let etcd: EtcdProcess;
  let raftkv: ProcessCluster;
  let ports: readonly [etcd: number, raftkv: number];

  beforeAll(async () => {
    etcd = await EtcdProcess.start();
    raftkv = await ProcessCluster.start({ size: 1, flags: ["--log-level=warn"] });
    ports = [etcd.clientPort, raftkv.member("n1").clientPort];
  });
  afterAll(async () => {
    await raftkv?.dispose();
    await etcd?.dispose();
  });

  test(`to ${unaryRequests.length} requests`, async () => {
    for (const [path, body] of unaryRequests) {
      const [theirs, ours] = await Promise.all(ports.map((port) => ask(port, path, body)));
      expect.soft(ours, `${path} ${body}`).toEqual(theirs);
    }
  });

  test(`to ${streamRequests.length} requests that open streams`, async () => {
    for (const [path, body, messageCount] of streamRequests) {
      const streams = ports.map((port) => new GatewayStream(`http://127.0.0.1:${port}${path}`, body));
      await expect.poll(() => Math.min(...streams.map(({ messages }) => messages.length))).toBeGreaterThanOrEqual(messageCount);
      await sleep(surplusMs);
      await Promise.all(streams.map((stream) => stream.close()));
      const [theirs, ours] = streams.map(({ messages }) => comparable(messages));
      expect.soft(theirs, `${path} ${body}`).toHaveLength(messageCount);
      expect.soft(ours, `${path} ${body}`).toEqual(theirs);
    }
  });

  test("to a client that holds a lock and is elected", async () => {
    const [theirs, ours] = await Promise.all(
      ports.map(async (port) => {
        const answers: Answer[] = [];
        const say = async (path: string, body: unknown): Promise<string> => {
          const answer = await ask(port, path, JSON.stringify(body), "60S");
          answers.push(answer);
          return JSON.stringify(answer.body);
        };
        await say("/v3/lease/grant", { ID: 777, TTL: 60 });
        await say("/v3/lock/lock", { name: base64("lock"), lease: 777 });
        await say("/v3/lock/lock", { name: base64("lock"), lease: "777" });
        await say("/v3/kv/range", { key: base64("lock/"), range_end: base64("lock0") });
        await say("/v3/lock/unlock", { key: base64("lock/309") });
        const campaign = await say("/v3/election/campaign", { name: base64("seat"), lease: 777, value: base64("me") });
        const leader: unknown = (JSON.parse(campaign) as { leader: unknown }[])[0]?.leader;
        await say("/v3/election/leader", { name: base64("seat") });
        await say("/v3/election/proclaim", { leader, value: base64("still me") });
        await say("/v3/election/leader", { name: base64("seat") });
        await say("/v3/election/resign", { leader });
        await say("/v3/election/proclaim", { leader, value: base64("me again") });
        await say("/v3/election/resign", { leader });
        await say("/v3/election/leader", { name: base64("seat") });
        await say("/v3/lease/revoke", { ID: 777 });
        return answers;
      }),
    );
    expect(ours).toEqual(theirs);
    expect(theirs?.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 500, 200, 500, 200]);
  });

  test.each(["GET", "PUT", "OPTIONS", "HEAD"])("to %s, with the same headers", async (method) => {
    for (const path of ["/v3/kv/range", "/v3/nothing", "/nothing", "/version", "/health"]) {
      const [theirs, ours] = await Promise.all(
        ports.map(async (port) => {
          const headers = { connection: "close", origin: "https://a.example" };
          const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
          const names = [
            "allow",
            "content-type",
            "access-control-allow-origin",
            "access-control-allow-methods",
            "access-control-allow-headers",
          ];
          return { status: response.status, headers: names.map((name) => response.headers.get(name)), text: await response.text() };
        }),
      );
      expect.soft(ours, `${method} ${path}`).toEqual(theirs);
    }
  });
});

describe.skipIf(curl === null)("curl", () => {
  let cluster: ProcessCluster;

  beforeAll(async () => {
    cluster = await ProcessCluster.start({ size: 1, flags: ["--log-level=warn", "--max-concurrent-streams=3"] });
  });
  afterAll(() => cluster?.dispose());

  function url(path: string): string {
    return `http://127.0.0.1:${cluster.member("n1").clientPort}${path}`;
  }

  const options = ["--silent", "--show-error", "--max-time", "60"];

  async function run(...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(curl ?? "", [...options, ...args]);
    return stdout;
  }

  test("puts, gets and watches", async () => {
    expect(await run("-X", "POST", url("/v3/kv/put"), "-d", put(a, "curl"))).toMatch(/^\{"header":\{.*"revision":"\d+"/);
    expect(await run(url("/v3/kv/range"), "-d", `{"key":"${a}"}`)).toContain(`"value":"${base64("curl")}"}],"count":"1"}`);
    const body = `{"create_request":{"key":"${a}","start_revision":"1"}}`;
    const args = [...options, "--no-buffer", url("/v3/watch"), "-d", body];
    const { out } = await runCommandLine({ program: curl ?? "", args, interruptAfterLines: 2 });
    expect(out.split("\n")[0]).toMatch(/^\{"result":\{"header":\{.*\},"created":true\}\}$/);
    expect(out).toContain('"events":[{"kv":{');
  });

  test("waits while as many streams as may be open are open", async () => {
    const streams = new AbortController();
    const open = Array.from({ length: 3 }, async () => {
      const body = `{"create_request":{"key":"${a}"}}`;
      const response = await fetch(url("/v3/watch"), { method: "POST", body, signal: streams.signal });
      return response.body?.getReader().read();
    });
    await Promise.all(open);
    await expect(run("--max-time", "1", url("/v3/kv/range"), "-d", `{"key":"${a}"}`)).rejects.toThrow(/Operation timed out/);
    streams.abort();
    expect(await run(url("/v3/kv/range"), "-d", `{"key":"${a}"}`)).toContain('"count":"1"');
  });
});
