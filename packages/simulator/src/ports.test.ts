import { describeClock, describeDisk, describeNetwork } from "@raftkv/raft-node/testing";
import { Simulation } from "./simulation.ts";

describeClock("simulated", async () => {
  const simulation = new Simulation({ seed: 1 });
  const { clock } = simulation.addNode("a").start();
  return { clock, run: (body) => simulation.drive(body), close: async () => {} };
});

describeClock("simulated, 7 % slow", async () => {
  const simulation = new Simulation({ seed: 1 });
  const node = simulation.addNode("a");
  node.clock.setDrift(-70_000);
  return { clock: node.start().clock, run: (body) => simulation.drive(body), close: async () => {} };
});

describeDisk("simulated", async () => {
  const simulation = new Simulation({ seed: 2 });
  const { disk } = simulation.addNode("a").start();
  await simulation.drive(() => disk.makeDirectory("/data"));
  return { disk, directory: "/data", run: (body) => simulation.drive(body), close: async () => {} };
});

describeNetwork("simulated", async () => {
  const simulation = new Simulation({ seed: 3 });
  const server = simulation.addNode("server").start();
  const client = simulation.addNode("client").start();
  return {
    server: server.network,
    host: "server",
    client: client.network,
    clock: client.clock,
    unknownHost: "nobody",
    foreignHost: "client",
    run: (body) => simulation.drive(body),
    close: () => simulation.runUntilIdle(),
  };
});
