import { fromBinary, grpcHealthV1 } from "@raftkv/api";
import { Dispatcher, Metadata, type UnaryCall } from "@raftkv/raft-rpc";
import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { HealthReporter, type HealthReporterOptions } from "./health-reporter.ts";

const { HealthCheckResponse_ServingStatus: Status, HealthCheckResponseSchema } = grpcHealthV1;

/** What a client is told that checks the member as a whole. */
function check(dispatcher: Dispatcher): grpcHealthV1.HealthCheckResponse_ServingStatus | undefined {
  const route = dispatcher.find("/grpc.health.v1.Health/Check");
  let answer: Uint8Array | undefined;
  const call: UnaryCall = {
    path: route?.path ?? "",
    metadata: new Metadata(),
    authority: "",
    remoteAddress: "",
    peer: null,
    deadlineMs: Number.POSITIVE_INFINITY,
    cancelled: false,
    onCancel: null,
    respond: (message) => (answer = message),
    fail: () => undefined,
    failWith: () => undefined,
    sendMetadata: () => undefined,
  };
  if (route?.kind === "unary") route.handler(new Uint8Array(), call);
  return answer === undefined ? undefined : fromBinary(HealthCheckResponseSchema, answer).status;
}

test("a member serves, but not while it is under repair, and not when it begins to close", async () => {
  const clock = new ManualClock();
  const node: { quarantine: null; repair: HealthReporterOptions["node"]["repair"] } = { quarantine: null, repair: null };
  const reporter = new HealthReporter({ node, clock });
  const dispatcher = new Dispatcher();
  reporter.register(dispatcher);
  expect(check(dispatcher)).toBe(Status.SERVING);
  node.repair = { from: 3, description: "", target: 9, verified: 4 };
  await clock.run(1_000);
  expect(check(dispatcher)).toBe(Status.NOT_SERVING);
  node.repair = null;
  await clock.run(1_000);
  expect(check(dispatcher)).toBe(Status.SERVING);
  reporter.stop();
  expect(check(dispatcher)).toBe(Status.NOT_SERVING);
  await clock.run(10_000);
  expect(check(dispatcher)).toBe(Status.NOT_SERVING);
});
