import { expect, test } from "vitest";
import { memberArguments, memberEnvironment, planMembers } from "./port-plan.ts";

const defaults = { nodes: 3, clientPort: 2379, peerPort: 2380, dataDir: "data" };

test("with the default ports the members use those of etcd's examples, and on in the same way", () => {
  const members = planMembers({ ...defaults, nodes: 9 });
  expect(members.map(({ name }) => name)).toEqual(["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"]);
  expect(members.map(({ clientPort }) => clientPort)).toEqual([2379, 22379, 32379, 42379, 52379, 62379, 12379, 2479, 2579]);
  expect(members.map(({ peerPort }) => peerPort)).toEqual([2380, 22380, 32380, 42380, 52380, 62380, 12380, 2480, 2580]);
});

test("ports of the user's own go up in steps of two, so that clients and peers may interleave", () => {
  const members = planMembers({ ...defaults, clientPort: 7001, peerPort: 7002 });
  expect(members.map(({ clientPort }) => clientPort)).toEqual([7001, 7003, 7005]);
  expect(members.map(({ peerPort }) => peerPort)).toEqual([7002, 7004, 7006]);
});

test("a port that two members would use is refused", () => {
  expect(() => planMembers({ ...defaults, clientPort: 7000, peerPort: 7002 })).toThrow(
    expect.objectContaining({ exitStatus: 64, message: "Port 7002 would be used by n1 and n2, change --client-port or --peer-port" }),
  );
});

test("a port above the last one is refused", () => {
  expect(() => planMembers({ ...defaults, clientPort: 65_533 })).toThrow(
    "Member n3 would get port 65537, give a lower --client-port than 65533",
  );
});

test("a member is started with its own addresses and the list of all", () => {
  const members = planMembers({ ...defaults, nodes: 2 });
  expect(members.map((member) => memberArguments(member, members))[1]).toEqual([
    "--name",
    "n2",
    "--data-dir",
    "data/n2",
    "--listen-client-urls",
    "http://127.0.0.1:22379",
    "--advertise-client-urls",
    "http://127.0.0.1:22379",
    "--listen-peer-urls",
    "http://127.0.0.1:22380",
    "--initial-advertise-peer-urls",
    "http://127.0.0.1:22380",
    "--initial-cluster",
    "n1=http://127.0.0.1:2380,n2=http://127.0.0.1:22380",
    "--initial-cluster-token",
    "raftkv-cluster",
    "--initial-cluster-state",
    "new",
  ]);
});

test("of the environment, variables that contradict the arguments are left out, other settings reach the member", () => {
  const environment = { PATH: "/bin", ETCD_NAME: "x", ETCD_DATA_DIR: "y", ETCD_ELECTION_TIMEOUT: "2000" };
  expect(memberEnvironment(environment, ["--name", "n1", "--data-dir", "data/n1"])).toEqual({
    PATH: "/bin",
    ETCD_ELECTION_TIMEOUT: "2000",
  });
});
