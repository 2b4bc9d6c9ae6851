import { expect, test } from "vitest";
import { connectClient } from "./node-client.ts";

test("a time limit for connections that no timer can hold is refused", () => {
  const endpoints = ["127.0.0.1:2379"];
  expect(() => connectClient({ endpoints, connectTimeoutMs: 0 })).toThrow("Time-out 0 ms is not between 1 and 2147483647");
  connectClient({ endpoints, connectTimeoutMs: 2000 }).close();
});
