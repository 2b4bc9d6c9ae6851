import { AllocationMeter } from "../allocation-meter.ts";
import { answerLines } from "../line-channel.ts";
import { type EchoLoad, runEchoLoad } from "../load/echo-load.ts";
import type { OpenEchoClient } from "./echo-client.ts";
import { openGrpcJsClient } from "./grpc-js-client.ts";
import { openRaftRpcClient } from "./raft-rpc-client.ts";

/** The only argument: the name of an implementation. Each request is an `EchoLoad`. */
const implementations: Readonly<Record<string, OpenEchoClient>> = { "raft-rpc": openRaftRpcClient, "grpc-js": openGrpcJsClient };

const [name = ""] = process.argv.slice(2);
const open = implementations[name];
if (open === undefined) throw new Error(`No client is called ${JSON.stringify(name)}`);
const meter = new AllocationMeter();
meter.start();
await answerLines({ name }, async (request) => {
  // Written by `EchoLoadProcess`, of the same build.
  const load = request as EchoLoad;
  const clients = Array.from({ length: load.connections }, () => open(load.port));
  try {
    const before = meter.allocatedBytes();
    const result = await runEchoLoad(clients, load);
    return { ...result, allocatedBytes: meter.allocatedBytes() - before };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
});
process.exit();
