import type { ClusterStatus } from "@raftkv/client";
import { expect, test } from "vitest";
import { sizeText, statusJson, statusTable } from "./status-table.ts";

const status: ClusterStatus = {
  clusterId: 0xcdf818194e3a8c32n,
  members: [
    {
      state: "up",
      endpoint: "127.0.0.1:2379",
      id: 0x8e9e05c52164694dn,
      name: "n1",
      role: "leader",
      leaderId: 0x8e9e05c52164694dn,
      term: 2,
      raftIndex: 1041,
      appliedIndex: 1040,
      dbSizeBytes: 20_480,
      version: "3.4.23",
      errors: [],
    },
    { state: "down", endpoint: "127.0.0.1:22379", id: 0x91bc3c398fb3c146n, name: "n2", reason: "connection refused" },
    { state: "down", endpoint: null, id: 1n, name: "", reason: "it has told the cluster no usable client address" },
  ],
};

test("the table has a row for every member, also for those that do not answer", () => {
  expect(statusTable(status)).toBe(
    `
┌─────────────────┬──────┬──────────────────┬─────────────┬──────┬────────────┬─────────┬─────────┬─────────┐
│ endpoint        │ name │ id               │ role        │ term │ raft index │ applied │ db size │ version │
├─────────────────┼──────┼──────────────────┼─────────────┼──────┼────────────┼─────────┼─────────┼─────────┤
│ 127.0.0.1:2379  │ n1   │ 8e9e05c52164694d │ leader      │    2 │       1041 │    1040 │   20 kB │ 3.4.23  │
├─────────────────┼──────┼──────────────────┼─────────────┼──────┼────────────┼─────────┼─────────┼─────────┤
│ 127.0.0.1:22379 │ n2   │ 91bc3c398fb3c146 │ unreachable │    - │          - │       - │       - │ -       │
├─────────────────┼──────┼──────────────────┼─────────────┼──────┼────────────┼─────────┼─────────┼─────────┤
│ -               │ -    │ 0000000000000001 │ unreachable │    - │          - │       - │       - │ -       │
└─────────────────┴──────┴──────────────────┴─────────────┴──────┴────────────┴─────────┴─────────┴─────────┘
`.slice(1),
  );
});

test("what members say is wrong with them stands below the table", () => {
  const errors = ["etcdserver: no leader", "raftkv: this member lost entries from log index 7 on and is under repair (verified 7 of 90)"];
  const members = status.members.map((member) => (member.state === "up" ? { ...member, errors } : member));
  expect(statusTable({ ...status, members })).toBe(
    `${statusTable(status)}n1: etcdserver: no leader\nn1: raftkv: this member lost entries from log index 7 on and is under repair (verified 7 of 90)\n`,
  );
});

test("JSON has the same, with ids as hex strings", () => {
  const shown = JSON.parse(statusJson(status));
  expect(shown.clusterId).toBe("cdf818194e3a8c32");
  expect(shown.members[0]).toEqual({
    state: "up",
    endpoint: "127.0.0.1:2379",
    id: "8e9e05c52164694d",
    name: "n1",
    role: "leader",
    leaderId: "8e9e05c52164694d",
    term: 2,
    raftIndex: 1041,
    appliedIndex: 1040,
    dbSizeBytes: 20480,
    version: "3.4.23",
    errors: [],
  });
  expect(shown.members[1]).toEqual({
    state: "down",
    endpoint: "127.0.0.1:22379",
    id: "91bc3c398fb3c146",
    name: "n2",
    reason: "connection refused",
  });
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [9_960, "10 kB"],
  [20_480, "20 kB"],
  [21_480, "22 kB"],
  [24_576, "25 kB"],
  [1_550_000, "1.6 MB"],
  [2_147_483_648, "2.1 GB"],
])("%i bytes are %s", (sizeBytes, text) => {
  expect(sizeText(sizeBytes)).toBe(text);
});
