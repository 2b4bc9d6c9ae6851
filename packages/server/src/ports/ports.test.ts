import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describeClock, describeDisk } from "@raftkv/raft-node/testing";
import { NodeClock } from "./node-clock.ts";
import { NodeDisk } from "./node-disk.ts";

describeClock("Node", async () => ({ clock: new NodeClock(), run: (body) => body(), close: async () => {} }));

describeDisk("Node", async () => {
  const directory = await mkdtemp(`${tmpdir()}/raftkv-disk-`);
  return { disk: new NodeDisk(), directory, run: (body) => body(), close: () => rm(directory, { recursive: true }) };
});
