import type { ClusterStatus, ReachableMember } from "@raftkv/client";
import { expect, test } from "vitest";
import { clusterTable, commandsToTry, memberRoles } from "./member-state.ts";
import { planMembers } from "./port-plan.ts";

const plan = planMembers({ nodes: 3, clientPort: 2379, peerPort: 2380, dataDir: "data" });

function up(endpoint: string, role: ReachableMember["role"], term: number): ReachableMember {
  return {
    state: "up",
    endpoint,
    id: 1n,
    name: "",
    role,
    leaderId: 0n,
    term,
    raftIndex: 0,
    appliedIndex: 0,
    dbSizeBytes: 0,
    version: "",
    errors: [],
  };
}

test("every member has a role, and only the leader of the last term is shown as leader", () => {
  const status: ClusterStatus = { clusterId: 1n, members: [up("127.0.0.1:2379", "leader", 2), up("127.0.0.1:22379", "leader", 3)] };
  const roles = memberRoles(plan, status);
  expect([...roles]).toEqual([
    ["n1", "follower"],
    ["n2", "leader"],
    ["n3", "unreachable"],
  ]);
  expect(clusterTable(plan, roles)).toBe(
    `
┌──────┬────────────────────────┬────────────────────────┬─────────────┐
│ name │ client URL             │ peer URL               │ role        │
├──────┼────────────────────────┼────────────────────────┼─────────────┤
│ n1   │ http://127.0.0.1:2379  │ http://127.0.0.1:2380  │ follower    │
├──────┼────────────────────────┼────────────────────────┼─────────────┤
│ n2   │ http://127.0.0.1:22379 │ http://127.0.0.1:22380 │ leader      │
├──────┼────────────────────────┼────────────────────────┼─────────────┤
│ n3   │ http://127.0.0.1:32379 │ http://127.0.0.1:32380 │ unreachable │
└──────┴────────────────────────┴────────────────────────┴─────────────┘
`.slice(1),
  );
});

test("the commands to try name the members that answer", () => {
  const roles = memberRoles(plan, { clusterId: 1n, members: [up("127.0.0.1:22379", "leader", 3), up("127.0.0.1:32379", "follower", 3)] });
  expect(commandsToTry(plan, roles, "node packages/cli/bin/raftkv.js")).toBe(
    `
Try in another terminal:
  node packages/cli/bin/raftkv.js put hello world --endpoints 127.0.0.1:22379,127.0.0.1:32379
  node packages/cli/bin/raftkv.js get hello --endpoints 127.0.0.1:32379
  etcdctl --endpoints=127.0.0.1:22379 get hello`.slice(1),
  );
});
