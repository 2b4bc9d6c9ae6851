import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkClusterRecord } from "./cluster-record.ts";

let parent = "";

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "raftkv-record-"));
});

afterEach(() => rmSync(parent, { recursive: true }));

function check(changes: { nodes?: number; peerPort?: number; clientPort?: number } = {}): void {
  checkClusterRecord({ nodes: 3, clientPort: 2379, peerPort: 2380, dataDir: join(parent, "data"), ...changes });
}

test("a second start with the same members agrees, also on other client ports", () => {
  check();
  check();
  check({ clientPort: 7000 });
});

test("a start with another number of members or other peer ports is refused, with the way out", () => {
  check();
  const data = join(parent, "data");
  expect(() => check({ nodes: 5 })).toThrow(
    expect.objectContaining({
      exitStatus: 1,
      message: `${data} holds a cluster of 3 members, not 5: start it with --nodes 3, or choose another --data-dir`,
    }),
  );
  expect(() => check({ peerPort: 7000 })).toThrow(
    `${data} holds a cluster with peer ports from 2380, not 7000: start it with --peer-port 2380, or choose another --data-dir`,
  );
});

test.each(["", "{}", '{"nodes":"3","peerPort":2380}', "[]", "null"])("a record that reads %j is called damaged", (text) => {
  check();
  writeFileSync(join(parent, "data", "cluster.json"), text);
  expect(() => check()).toThrow("cluster.json is damaged: remove it if you know how many members the cluster has");
});
