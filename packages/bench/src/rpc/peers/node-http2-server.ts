import { readFileSync } from "node:fs";
import { createSecureServer, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { type CertificateFiles, type EchoServer, host } from "./echo-server.ts";

/** A message with its prefix, as it comes, is also the answer. */
const responseHeaders = { ":status": 200, "content-type": "application/grpc" };

/**
 * The HTTP/2 that Node.js brings, answering with what gRPC needs and nothing more: neither metadata nor deadlines nor limits. It only
 * knows messages that come in one piece, and treats both methods as streams of them.
 */
export async function startNodeHttp2Server(certificate: CertificateFiles | null): Promise<EchoServer> {
  let answered = 0;
  const onStream = (stream: ServerHttp2Stream): void => {
    stream.respond(responseHeaders, { waitForTrailers: true });
    stream.on("data", (message: Buffer) => {
      answered++;
      stream.write(message);
    });
    stream.on("end", () => stream.end());
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.on("error", () => undefined);
  };
  const server =
    certificate === null
      ? createServer()
      : createSecureServer({ cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) });
  server.on("stream", onStream);
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
  return {
    port,
    get answered() {
      return answered;
    },
  };
}
