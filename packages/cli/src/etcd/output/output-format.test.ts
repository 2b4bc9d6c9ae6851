import { describe, expect, test } from "vitest";
import type { Answer } from "./answer.ts";
import { formatAnswer, type OutputFormat } from "./output-format.ts";

/** What etcdctl 3.4 prints for these answers. */

const header = { clusterId: 10101560796677756362n, memberId: 10221683743416816908n, revision: 7, raftTerm: 2 };
const headerJson = '{"cluster_id":10101560796677756362,"member_id":10221683743416816908,"revision":7,"raft_term":2}';
const headerFields = '"ClusterID" : 10101560796677756362\n"MemberID" : 10221683743416816908\n"Revision" : 7\n"RaftTerm" : 2\n';
const kv = {
  key: Buffer.from("foo"),
  value: Buffer.from("bar"),
  createRevision: 2,
  modRevision: 3,
  version: 2,
  lease: 1516765322826246734n,
};
const kvJson = '{"key":"Zm9v","create_revision":2,"mod_revision":3,"version":2,"value":"YmFy","lease":1516765322826246734}';
const inner = { clusterId: 0n, memberId: 0n, revision: 7, raftTerm: 0 };

function shown(answer: Answer, format: OutputFormat, hex = false): string {
  return Buffer.from(formatAnswer(answer, { format, hex })).toString();
}

describe("a range", () => {
  const answer: Answer = { kind: "range", response: { header, kvs: [kv], more: true, count: 9 } };
  const none: Answer = { kind: "range", response: { header, kvs: [], more: false, count: 0 } };

  test("simple", () => {
    expect(shown(answer, "simple")).toBe("foo\nbar\n");
    expect(shown(answer, "simple", true)).toBe("\\x66\\x6f\\x6f\n\\x62\\x61\\x72\n");
    expect(shown({ ...answer, valuesOnly: true }, "simple")).toBe("bar\n");
    expect(shown(none, "simple")).toBe("");
  });

  test("simple gives bytes as they are", () => {
    const binary = { ...kv, value: Uint8Array.of(0xff, 0x00) };
    const response = { header, kvs: [binary], more: false, count: 1 };
    expect([...formatAnswer({ kind: "range", response }, { format: "simple", hex: false })]).toEqual([0x66, 0x6f, 0x6f, 10, 0xff, 0, 10]);
  });

  test("json leaves out what is zero", () => {
    expect(shown(answer, "json")).toBe(`{"header":${headerJson},"kvs":[${kvJson}],"more":true,"count":9}\n`);
    expect(shown(none, "json")).toBe(`{"header":${headerJson}}\n`);
  });

  test("fields", () => {
    expect(shown(answer, "fields")).toBe(
      `${headerFields}"Key" : "foo"\n"CreateRevision" : 2\n"ModRevision" : 3\n"Version" : 2\n"Value" : "bar"\n` +
        '"Lease" : 1516765322826246734\n"More" : true\n"Count" : 9\n',
    );
  });

  test("no table", () => {
    expect(() => shown(answer, "table")).toThrow(
      expect.objectContaining({ exitStatus: 4, message: "table not supported as output format" }),
    );
  });
});

describe("writes", () => {
  test("a put", () => {
    const answer: Answer = { kind: "put", response: { header, prevKv: kv } };
    expect(shown(answer, "simple")).toBe("OK\nfoo\nbar\n");
    expect(shown(answer, "json")).toBe(`{"header":${headerJson},"prev_kv":${kvJson}}\n`);
    expect(shown(answer, "fields")).toContain('"RaftTerm" : 2\n"PrevKey" : "foo"\n"PrevCreateRevision" : 2\n');
  });

  test("a deletion", () => {
    const answer: Answer = { kind: "delete", response: { header, deleted: 1, prevKvs: [kv] } };
    expect(shown(answer, "simple")).toBe("1\nfoo\nbar\n");
    expect(shown(answer, "json")).toBe(`{"header":${headerJson},"deleted":1,"prev_kvs":[${kvJson}]}\n`);
    expect(shown(answer, "fields")).toContain('"Deleted" : 1\n"PrevKey" : "foo"\n');
  });

  test("a transaction, also a nested one", () => {
    const put = { type: "put", response: { header: inner, prevKv: null } } as const;
    const deletion = { type: "deleteRange", response: { header: inner, deleted: 0, prevKvs: [] } } as const;
    const range = { type: "range", response: { header: inner, kvs: [kv], more: false, count: 1 } } as const;
    const nested = { type: "txn", response: { header: inner, succeeded: false, responses: [put] } } as const;
    const answer: Answer = { kind: "txn", response: { header, succeeded: true, responses: [put, range, deletion, nested] } };
    expect(shown(answer, "simple")).toBe("SUCCESS\n\nOK\n\nfoo\nbar\n\n0\n\n");
    expect(shown(answer, "json")).toBe(
      `{"header":${headerJson},"succeeded":true,"responses":[{"Response":{"ResponsePut":{"header":{"revision":7}}}},` +
        `{"Response":{"ResponseRange":{"header":{"revision":7},"kvs":[${kvJson}],"count":1}}},` +
        '{"Response":{"ResponseDeleteRange":{"header":{"revision":7}}}},' +
        '{"Response":{"ResponseTxn":{"header":{"revision":7},"responses":[{"Response":{"ResponsePut":{"header":{"revision":7}}}}]}}}]}\n',
    );
    expect(shown(answer, "fields")).toMatch(/^"ClusterID" : 1010.*\n.*\n.*\n.*\n"Succeeded" : true\n"ClusterID" : 0\n"MemberID" : 0\n/);
  });

  test("a transaction whose conditions do not hold", () => {
    const answer: Answer = { kind: "txn", response: { header, succeeded: false, responses: [] } };
    expect(shown(answer, "simple")).toBe("FAILURE\n");
    expect(shown(answer, "json")).toBe(`{"header":${headerJson}}\n`);
  });
});

describe("a watch", () => {
  const gone = { ...kv, value: new Uint8Array(0), createRevision: 0, version: 0, lease: 0n };
  const events = [
    { type: "put", kv, prevKv: null },
    { type: "delete", kv: gone, prevKv: kv },
  ] as const;
  const answer: Answer = { kind: "watch", response: { header, events, compactRevision: 0 } };

  test("simple", () => {
    expect(shown(answer, "simple")).toBe("PUT\nfoo\nbar\nDELETE\nfoo\nbar\nfoo\n\n");
  });

  test("json", () => {
    expect(shown(answer, "json")).toBe(
      `{"Header":${headerJson},"Events":[{"kv":${kvJson}},{"type":1,"kv":{"key":"Zm9v","mod_revision":3},"prev_kv":${kvJson}}],` +
        '"CompactRevision":0,"Canceled":false,"Created":false}\n',
    );
    expect(shown({ kind: "watch", response: { header: null, events: [], compactRevision: 5 } }, "json")).toBe(
      '{"Header":{},"Events":[],"CompactRevision":5,"Canceled":true,"Created":false}\n',
    );
  });

  test("fields", () => {
    expect(shown(answer, "fields")).toContain('"Type" : DELETE\n"PrevKey" : "foo"\n');
  });
});

describe("leases", () => {
  const id = 0x1234n;

  test.each<[Answer, string, string]>([
    [
      { kind: "lease-grant", response: { header, id, ttl: 60 } },
      "lease 0000000000001234 granted with TTL(60s)\n",
      `{${headerJson.slice(1, -1)},"ID":4660,"TTL":60,"Error":""}\n`,
    ],
    [{ kind: "lease-revoke", header, id }, "lease 0000000000001234 revoked\n", `{"header":${headerJson}}\n`],
    [
      { kind: "lease-list", response: { header, ids: [id] } },
      "found 1 leases\n0000000000001234\n",
      `{${headerJson.slice(1, -1)},"leases":[{"id":4660}]}\n`,
    ],
    [
      { kind: "lease-keep-alive", response: { header, id, ttl: 100 } },
      "lease 0000000000001234 keepalived with TTL(100)\n",
      `{${headerJson.slice(1, -1)},"ID":4660,"TTL":100}\n`,
    ],
    [
      { kind: "lease-time-to-live", response: { header, id, ttl: 99, grantedTtl: 100, keys: [kv.key, kv.value] }, keysAsked: true },
      "lease 0000000000001234 granted with TTL(100s), remaining(99s), attached keys([foo bar])\n",
      `{${headerJson.slice(1, -1)},"id":4660,"ttl":99,"granted-ttl":100,"keys":["Zm9v","YmFy"]}\n`,
    ],
    [
      { kind: "lease-time-to-live", response: { header, id, ttl: -1, grantedTtl: 0, keys: [] }, keysAsked: false },
      "lease 0000000000001234 already expired\n",
      `{${headerJson.slice(1, -1)},"id":4660,"ttl":-1,"granted-ttl":0,"keys":null}\n`,
    ],
  ])("%#", (answer, simple, json) => {
    expect(shown(answer, "simple")).toBe(simple);
    expect(shown(answer, "json")).toBe(json);
    expect(shown(answer, "fields").startsWith(headerFields)).toBe(true);
  });
});

describe("members and endpoints", () => {
  const started = {
    id: 0x8ddab73534be950cn,
    name: "e1",
    peerUrls: ["http://127.0.0.1:2380"],
    clientUrls: ["http://127.0.0.1:2379"],
    isLearner: false,
  };
  const unstarted = { ...started, id: 0x0abcn, name: "", clientUrls: [] };
  const status = {
    header,
    version: "3.4.23",
    dbSizeBytes: 40_960,
    dbSizeInUseBytes: 40_960,
    leader: header.memberId,
    raftIndex: 53,
    raftTerm: 2,
    raftAppliedIndex: 53,
    errors: [],
    isLearner: false,
    storageVersion: "",
    dbSizeQuotaBytes: 0,
  };

  test("members", () => {
    const answer: Answer = { kind: "member-list", response: { header, members: [started, unstarted] } };
    expect(shown(answer, "simple")).toBe(
      "8ddab73534be950c, started, e1, http://127.0.0.1:2380, http://127.0.0.1:2379, false\nabc, unstarted, , http://127.0.0.1:2380, , false\n",
    );
    expect(shown(answer, "json")).toBe(
      `{"header":${headerJson},"members":[{"ID":10221683743416816908,"name":"e1","peerURLs":["http://127.0.0.1:2380"],` +
        '"clientURLs":["http://127.0.0.1:2379"]},{"ID":2748,"peerURLs":["http://127.0.0.1:2380"]}]}\n',
    );
    expect(shown(answer, "fields")).toContain('"ClientURL" : "http://127.0.0.1:2379"\n"IsLearner" : false\n\n"ID" : 2748\n');
  });

  test("the state of an endpoint", () => {
    const answer: Answer = { kind: "endpoint-status", endpoints: [{ endpoint: "127.0.0.1:2379", value: status }] };
    expect(shown(answer, "simple")).toBe("127.0.0.1:2379, 8ddab73534be950c, 3.4.23, 41 kB, true, false, 2, 53, 53, \n");
    expect(shown(answer, "json")).toBe(
      `[{"Endpoint":"127.0.0.1:2379","Status":{"header":${headerJson},"version":"3.4.23","dbSize":40960,"leader":10221683743416816908,` +
        '"raftIndex":53,"raftTerm":2,"raftAppliedIndex":53,"dbSizeInUse":40960}}]\n',
    );
    expect(shown(answer, "fields")).toContain('"RaftAppliedIndex" : 53\n"Errors" : []\n"Endpoint" : "127.0.0.1:2379"\n\n');
    expect(shown(answer, "table")).toContain("|    ENDPOINT    |        ID        | VERSION | DB SIZE | IS LEADER |");
  });

  test("the health of an endpoint", () => {
    const well = { endpoint: "a:1", value: { healthy: true, tookMs: 1.102676, error: "" } };
    const ill = { endpoint: "b:2", value: { healthy: false, tookMs: 1000, error: "no answer" } };
    const answer: Answer = { kind: "endpoint-health", endpoints: [well, ill] };
    expect(shown(answer, "simple")).toBe(
      "a:1 is healthy: successfully committed proposal: took = 1.102676ms\nb:2 is unhealthy: failed to commit proposal: no answer\n",
    );
    expect(shown(answer, "json")).toBe(
      '[{"endpoint":"a:1","health":true,"took":"1.102676ms"},{"endpoint":"b:2","health":false,"took":"1s","error":"no answer"}]\n',
    );
    expect(shown(answer, "fields")).toContain('"Endpoint" : "a:1"\n"Health" : true\n"Took" : 1.102676ms\n"Error" : \n\n');
    expect(shown(answer, "table")).toContain("|      b:2 |  false |         1s | no answer |");
  });

  test("the hash of an endpoint", () => {
    const value = { header, hash: 3520382566, compactRevision: -1, hashRevision: 0 };
    const answer: Answer = { kind: "endpoint-hash", endpoints: [{ endpoint: "a:1", value }] };
    expect(shown(answer, "simple")).toBe("a:1, 3520382566\n");
    expect(shown(answer, "json")).toBe(`[{"Endpoint":"a:1","HashKV":{"header":${headerJson},"hash":3520382566,"compact_revision":-1}}]\n`);
  });

  test("alarms", () => {
    const alarms = [{ memberId: 13668033151171901709n, alarm: "NOSPACE" }] as const;
    const answer: Answer = { kind: "alarms", response: { header, alarms } };
    expect(shown(answer, "simple")).toBe("memberID:13668033151171901709 alarm:NOSPACE \n");
    expect(shown(answer, "json")).toBe(`{"header":${headerJson},"alarms":[{"memberID":13668033151171901709,"alarm":1}]}\n`);
    const noHeader = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };
    expect(shown({ kind: "alarms", response: { header: noHeader, alarms: [] } }, "json")).toBe("{}\n");
  });

  test("a leader that was moved", () => {
    const answer: Answer = { kind: "move-leader", from: 0x8ddab73534be950cn, to: 0xabcn };
    expect(shown(answer, "simple")).toBe("Leadership transferred from 8ddab73534be950c to abc\n");
    expect(shown(answer, "json")).toBe("{}\n");
    expect(() => shown(answer, "fields")).toThrow(expect.objectContaining({ exitStatus: 4 }));
  });

  test("a snapshot file", () => {
    const answer: Answer = { kind: "snapshot-status", status: { hash: 0x708064ba, revision: 29, totalKeys: 37, totalBytes: 24_576 } };
    expect(shown(answer, "simple")).toBe("708064ba, 29, 37, 25 kB\n");
    expect(shown(answer, "json")).toBe('{"hash":1887462586,"revision":29,"totalKey":37,"totalSize":24576}\n');
    expect(shown(answer, "fields")).toBe('"Hash" : 1887462586\n"Revision" : 29\n"Keys" : 37\n"Size" : 24576\n');
    expect(shown(answer, "table")).toBe(
      `
+----------+----------+------------+------------+
|   HASH   | REVISION | TOTAL KEYS | TOTAL SIZE |
+----------+----------+------------+------------+
| 708064ba |       29 |         37 |      25 kB |
+----------+----------+------------+------------+
`.slice(1),
    );
  });
});
