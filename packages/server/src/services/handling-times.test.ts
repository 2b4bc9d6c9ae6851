import { StatusCode } from "@raftkv/raft-rpc";
import { expect, test } from "vitest";
import { HandlingTimes } from "./handling-times.ts";

test("calls are counted by how long they took, each method apart", () => {
  const times = new HandlingTimes();
  const tallies = { code: StatusCode.OK, requests: 1, requestBytes: 1, responses: 1, responseBytes: 1 };
  for (const durationMs of [5, 6, 20_000]) times.observe({ path: "/etcdserverpb.KV/Put" })({ ...tallies, durationMs });
  expect(times.of("/etcdserverpb.KV/Put").counts).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(times.of("/etcdserverpb.KV/Put").sum).toBeCloseTo(20.011);
  expect(times.of("/etcdserverpb.KV/Range").sum).toBe(0);
});
