import { readFileSync } from "node:fs";
import { Dispatcher, listenTcp, listenTls, RpcServer, type StreamCall, SystemClock } from "@raftkv/raft-rpc";
import { streamPath, unaryPath } from "../echo-service.ts";
import { type CertificateFiles, type EchoServer, host } from "./echo-server.ts";

const ignore = (): void => undefined;

/** Ours, by the handlers that the hot paths of RaftKV use. */
export async function startRaftRpcServer(certificate: CertificateFiles | null): Promise<EchoServer> {
  let answered = 0;
  const dispatcher = new Dispatcher()
    .addUnary(unaryPath, (message, call) => {
      answered++;
      call.respond(message);
    })
    .addStream(streamPath, (call: StreamCall) =>
      call.setHandlers({
        onMessage: (message) => {
          answered++;
          call.send(message);
        },
        onEnd: () => call.end(),
        onCancel: ignore,
        onDrain: ignore,
      }),
    );
  const server = new RpcServer({ dispatcher, clock: new SystemClock() });
  const address = { host, port: 0 };
  const listener =
    certificate === null
      ? await listenTcp(address, (stream) => server.accept(stream))
      : await listenTls(address, {
          credentials: { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) },
          onStream: (stream) => server.accept(stream),
        });
  return {
    port: listener.address.port,
    get answered() {
      return answered;
    },
  };
}
