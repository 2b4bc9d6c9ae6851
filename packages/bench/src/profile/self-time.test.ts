import { expect, test } from "vitest";
import { parseCpuProfile } from "./cpu-profile.ts";
import { formatProfile } from "./profile-report.ts";
import { analyseSelfTimes, packageOf } from "./self-time.ts";

const raft = "file:///r/packages/raft-core/dist/raft.js";
const frame = (functionName: string, url = "", lineNumber = -1) => ({ functionName, url, lineNumber });

/** Samples at 1000, 1100, … 1900 microseconds: (program), step, step by another way, gc, idle, idle, step, anonymous, read, (program). */
const text = JSON.stringify({
  nodes: [
    { id: 1, callFrame: frame("(program)") },
    { id: 2, callFrame: frame("step", raft, 41) },
    { id: 3, callFrame: frame("step", raft, 41) },
    { id: 4, callFrame: frame("(garbage collector)") },
    { id: 5, callFrame: frame("(idle)") },
    { id: 6, callFrame: frame("", raft, 7) },
    { id: 7, callFrame: frame("read", "node:internal/fs", 3) },
  ],
  startTime: 1000,
  endTime: 1900,
  samples: [1, 2, 3, 4, 5, 5, 2, 6, 7, 1],
  timeDeltas: [0, 100, 100, 100, 100, 100, 100, 100, 100, 100],
});

test("self time is summed per function, whatever called it, and per package, without idleness", () => {
  const times = analyseSelfTimes(parseCpuProfile(text), { startUs: 0, endUs: 10_000 });
  expect(times.totalUs).toBe(900);
  expect(times.idleUs).toBe(200);
  expect(times.functions).toEqual([
    { name: "step", package: "raft-core", place: "raft.js:42", selfUs: 300 },
    { name: "(program)", package: "native", place: "", selfUs: 100 },
    { name: "(garbage collector)", package: "native", place: "", selfUs: 100 },
    { name: "(anonymous)", package: "raft-core", place: "raft.js:8", selfUs: 100 },
    { name: "read", package: "node", place: "fs:4", selfUs: 100 },
  ]);
  expect(times.packages).toEqual([
    { name: "raft-core", selfUs: 400 },
    { name: "native", selfUs: 200 },
    { name: "node", selfUs: 100 },
  ]);
});

test("only samples in the window count", () => {
  const times = analyseSelfTimes(parseCpuProfile(text), { startUs: 1200, endUs: 1500 });
  expect([times.totalUs, times.idleUs]).toEqual([300, 100]);
  expect(times.functions.map(({ name }) => name)).toEqual(["step", "(garbage collector)"]);
  expect(analyseSelfTimes(parseCpuProfile(text), { startUs: 5000, endUs: 6000 })).toEqual({
    totalUs: 0,
    idleUs: 0,
    functions: [],
    packages: [],
  });
});

test("a file belongs to the innermost package", () => {
  expect(packageOf(raft)).toBe("raft-core");
  expect(packageOf("file:///r/node_modules/@bufbuild/protobuf/dist/esm/wire.js")).toBe("@bufbuild/protobuf");
  expect(packageOf("file:///r/packages/cli/node_modules/pino/lib/a.js")).toBe("pino");
  expect(packageOf("node:internal/net")).toBe("node");
  expect(packageOf("")).toBe("native");
  expect(packageOf("file:///tmp/a.js")).toBe("other");
});

test("the report shows the leader first, with shares of the busy time and time per request", () => {
  const times = analyseSelfTimes(parseCpuProfile(text), { startUs: 0, endUs: 10_000 });
  const round = {
    answers: 100,
    durationMs: 1,
    ratePerSecond: 1,
    p50Ms: 1,
    p99Ms: 1,
    maxMs: 1,
    longestGapMs: 1,
    errors: new Map(),
    cpu: null,
    generatorUs: 1,
    leaderMoved: false,
  };
  const lines = formatProfile({
    round,
    members: [
      { member: "m1", isLeader: false, times },
      { member: "m2", isLeader: true, times },
    ],
  });
  expect(lines[1]).toBe("m2, leader: busy 77.8 % of the time, 7.00 us for each request");
  expect(lines).toContain("42.9 %        3.00  raft-core  step                 raft.js:42");
  expect(lines.filter((line) => line.startsWith("m1, follower"))).toHaveLength(1);
});

test.each([
  ["[]", "The profile has no nodes with call frames"],
  ["1", "The profile is no object"],
  ['{"nodes":[{"id":1}]}', "The profile has no nodes with call frames"],
  ['{"nodes":[],"startTime":1,"samples":["a"],"timeDeltas":[]}', "The profile has no samples with times"],
  ['{"nodes":[],"startTime":1,"samples":[1],"timeDeltas":[]}', "The profile has 1 samples, but 0 times"],
])("%s is no profile", (broken, sentence) => {
  expect(() => parseCpuProfile(broken)).toThrow(sentence);
});
