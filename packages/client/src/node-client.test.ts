import { createServer } from "node:net";
import { expect, test } from "vitest";
import { connect, connectClient, endpointsVariable } from "./node-client.ts";

/** Long enough for a machine with other work to hear that a connection was refused. */
const refusalMs = 1_500;

/** A port of this machine on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { readonly port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("connecting to nobody ends at the time-out, and says who was asked", async () => {
  const target = `127.0.0.1:${await deadPort()}`;
  await expect(connect(`raftkv://${target}`, { timeoutMs: refusalMs })).rejects.toMatchObject({
    code: "ERR_TIMEOUT",
    message: expect.stringMatching(new RegExp(`${refusalMs} ms; .*${target}`)),
  });
});

test("without a target the environment names the endpoints", async () => {
  const target = `127.0.0.1:${await deadPort()}`;
  process.env[endpointsVariable] = `raftkv://${target}`;
  try {
    await expect(connect(undefined, { timeoutMs: refusalMs })).rejects.toThrow(target);
  } finally {
    delete process.env[endpointsVariable];
  }
});

test("a target that makes no sense is refused", async () => {
  await expect(connect("mysql://localhost")).rejects.toThrow(RangeError);
});

test("a time limit for connections that no timer can hold is refused", () => {
  const endpoints = ["127.0.0.1:2379"];
  expect(() => connectClient({ endpoints, connectTimeoutMs: 0 })).toThrow("Time-out 0 ms is not between 1 and 2147483647");
  connectClient({ endpoints, connectTimeoutMs: 2000 }).close();
});
