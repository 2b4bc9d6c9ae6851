import * as grpc from "@grpc/grpc-js";
import { messageBytes, streamPath, unaryPath } from "../echo-service.ts";
import type { EchoClient } from "./echo-client.ts";
import { host } from "./echo-server.ts";

const same = (bytes: Buffer): Buffer => bytes;
const message = Buffer.alloc(messageBytes, 0x61);

/** @grpc/grpc-js, without a serializer, each client with a connection of its own. */
export function openGrpcJsClient(port: number): EchoClient {
  const client = new grpc.Client(`${host}:${port}`, grpc.credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  return {
    unary: () => (done) => {
      client.makeUnaryRequest(unaryPath, same, same, message, (error, answer) => done(failureOf(answer, error?.message)));
    },
    stream() {
      let told: (failure: string | null) => void = () => undefined;
      const call = client.makeBidiStreamRequest(streamPath, same, same);
      call.on("data", (answer: Buffer) => told(failureOf(answer)));
      call.on("error", (error) => told(error.message));
      call.on("end", () => told("The stream ended"));
      return (done) => {
        told = done;
        call.write(message);
      };
    },
    close() {
      client.close();
      return Promise.resolve();
    },
  };
}

function failureOf(answer: Buffer | undefined, reason = "The answer is not as long as the request"): string | null {
  return answer?.length === messageBytes ? null : reason;
}
