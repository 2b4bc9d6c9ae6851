import { AllocationMeter } from "../allocation-meter.ts";
import { answerLines } from "../line-channel.ts";
import type { StartEchoServer } from "./echo-server.ts";
import { startGrpcJsServer } from "./grpc-js-server.ts";
import { startNodeHttp2Server } from "./node-http2-server.ts";
import { startRaftRpcServer } from "./raft-rpc-server.ts";

/** Arguments: the name of an implementation, then certificate and key if it is to serve over TLS. */
const implementations: Readonly<Record<string, StartEchoServer>> = {
  "raft-rpc": startRaftRpcServer,
  "grpc-js": startGrpcJsServer,
  "node:http2": startNodeHttp2Server,
};

const [name = "", certFile, keyFile] = process.argv.slice(2);
const start = implementations[name];
if (start === undefined) throw new Error(`No server is called ${JSON.stringify(name)}`);
const server = await start(certFile === undefined || keyFile === undefined ? null : { certFile, keyFile });
const meter = new AllocationMeter();
meter.start();
await answerLines({ port: server.port }, () => ({ answered: server.answered, allocatedBytes: meter.allocatedBytes() }));
process.exit();
