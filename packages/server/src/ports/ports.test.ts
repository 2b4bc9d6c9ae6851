import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describeClock, describeDisk, describeNetwork } from "@raftkv/raft-node/testing";
import { describe } from "vitest";
import { neverReopen, reopenDurably } from "./durable-handle.ts";
import { NodeClock } from "./node-clock.ts";
import { NodeDisk } from "./node-disk.ts";
import { NodeNetwork } from "./node-network.ts";

describeClock("Node", async () => ({ clock: new NodeClock(), run: (body) => body(), close: async () => {} }));

describe.each([
  ["durable writes in one step where possible", reopenDurably],
  ["durable writes in two steps", neverReopen],
])("%s", (_, reopen) => {
  describeDisk("Node", async () => {
    const directory = await mkdtemp(`${tmpdir()}/raftkv-disk-`);
    return { disk: new NodeDisk(reopen), directory, run: (body) => body(), close: () => rm(directory, { recursive: true }) };
  });
});

describeNetwork("Node", async () => ({
  server: new NodeNetwork(),
  host: "127.0.0.1",
  client: new NodeNetwork(),
  clock: new NodeClock(),
  unknownHost: "nobody.invalid",
  // For documentation only (RFC 5737): no machine has it.
  foreignHost: "192.0.2.1",
  run: (body) => body(),
  close: async () => {},
}));
