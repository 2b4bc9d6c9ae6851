import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import { streamPath, unaryPath } from "../echo-service.ts";
import { type CertificateFiles, type EchoServer, host } from "./echo-server.ts";

const same = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const service: grpc.ServiceDefinition = {
  unary: { path: unaryPath, requestStream: false, responseStream: false, ...codec },
  stream: { path: streamPath, requestStream: true, responseStream: true, ...codec },
};

/** @grpc/grpc-js, without a serializer. */
export async function startGrpcJsServer(certificate: CertificateFiles | null): Promise<EchoServer> {
  let answered = 0;
  const server = new grpc.Server();
  server.addService(service, {
    unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      answered++;
      done(null, call.request);
    },
    stream: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (message: Buffer) => {
        answered++;
        call.write(message);
      });
      call.on("end", () => call.end());
      call.on("error", () => undefined);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:0`, credentials(certificate), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return {
    port,
    get answered() {
      return answered;
    },
  };
}

function credentials(certificate: CertificateFiles | null): grpc.ServerCredentials {
  if (certificate === null) return grpc.ServerCredentials.createInsecure();
  const { certFile, keyFile } = certificate;
  return grpc.ServerCredentials.createSsl(null, [{ cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) }]);
}
