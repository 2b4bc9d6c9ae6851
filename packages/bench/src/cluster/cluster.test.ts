import { expect, test } from "vitest";
import { MemoryMember } from "../testing/memory-member.ts";
import { cpuBetween, parseCpuTime } from "./cpu-time.ts";
import { findFreePorts } from "./free-ports.ts";
import { openChannel, readStatus } from "./member-channel.ts";
import { memberFlags, planMembers } from "./member-plan.ts";
import { memberEnvironment } from "./system.ts";

test("members of both systems get the same flags, each with its own addresses", () => {
  const plans = planMembers("/d", [1, 2, 3, 4, 5, 6]);
  expect(plans.map(({ name }) => name)).toEqual(["m1", "m2", "m3"]);
  const [, second] = plans;
  expect(second).toEqual({ name: "m2", clientPort: 3, peerPort: 4, dataDirectory: "/d/m2", logFile: "/d/m2.log" });
  expect(second === undefined ? "" : memberFlags(second, plans).join(" ")).toBe(
    "--name m2 --data-dir /d/m2 --listen-client-urls http://127.0.0.1:3 --advertise-client-urls http://127.0.0.1:3 " +
      "--listen-peer-urls http://127.0.0.1:4 --initial-advertise-peer-urls http://127.0.0.1:4 " +
      "--initial-cluster m1=http://127.0.0.1:2,m2=http://127.0.0.1:4,m3=http://127.0.0.1:6 " +
      "--initial-cluster-token raftkv-bench --initial-cluster-state new " +
      "--heartbeat-interval 100 --election-timeout 1000 --snapshot-count 100000 --quota-backend-bytes 8589934592 --log-level error",
  );
  expect(() => planMembers("/d", [1, 2, 3])).toThrow("3 ports do not give members two each");
});

test("nothing of the environment configures a member beside its flags", () => {
  const environment = { PATH: "/bin", ETCD_NAME: "x", RAFTKV_STOP_AT_INPUT_END: "1", NODE_OPTIONS: "--inspect", GOMAXPROCS: "1" };
  expect(memberEnvironment(environment)).toEqual({ PATH: "/bin" });
});

test("free ports differ", async () => {
  const ports = await findFreePorts(6);
  expect(new Set(ports).size).toBe(6);
  for (const port of ports) expect(port).toBeGreaterThan(0);
});

test("CPU time is read behind a program name with spaces and parentheses", () => {
  const stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 11 0 100";
  expect(parseCpuTime(stat)).toEqual({ userMs: 1230, systemMs: 450 });
  expect(parseCpuTime("nonsense")).toBeNull();
  expect(parseCpuTime("42 (a) S 1")).toBeNull();
  expect(cpuBetween({ userMs: 100, systemMs: 10 }, { userMs: 160, systemMs: 20 })).toBe(70);
  expect(cpuBetween(null, { userMs: 160, systemMs: 20 })).toBeNull();
});

test("a member says whether it leads, and one that is gone says nothing", async () => {
  const member = await MemoryMember.start();
  const stranger = openChannel((await findFreePorts(1))[0] ?? 0);
  try {
    expect(await readStatus(member.channel, 5000)).toEqual({ isLeader: true, term: 3n, committedIndex: 0n, appliedIndex: 0n });
    expect(await readStatus(stranger, 50)).toBeNull();
  } finally {
    await stranger.close();
    await member.close();
  }
});
